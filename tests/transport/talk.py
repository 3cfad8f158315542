"""One end of a conversation over SOAP: calls `reply`, keeps the id, and tells what came."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import requests
from lxml import etree

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass(frozen=True)
class Answer:
    """What came: the members of an answer, or of a fault with its name in `fault`."""

    members: dict[str, str]
    fault: str = ""

    @property
    def session(self) -> str:
        return self.members["sessionId"]

    @property
    def state(self) -> str:
        return self.members["sessionState"]

    @property
    def sentence(self) -> str:
        return self.members["sentence"]


class Talk:
    """A client of one model that goes on with the session it was given last."""

    def __init__(self, url: str, model: str, session: str | None = None, **headers: str) -> None:
        self._url, self._model, self._http = f"{url}/soap/{model}/v1", model, requests.Session()
        self._http.headers.update({"Content-Type": "text/xml; charset=utf-8", **headers})
        self.session = session

    def say(self, question: str) -> Answer:
        """Return the answer. Raises requests.ConnectionError where none comes."""
        answer = self.send(escape(question))
        if not answer.fault:
            self.session = answer.session
        return answer

    def send(self, question: str) -> Answer:
        """Say what is XML already."""
        given = "" if self.session is None else f"<sessionId>{escape(self.session)}</sessionId>"
        body = f'<reply xmlns="urn:soapsvc:{self._model}:v1">{given}<question>{question}</question></reply>'
        envelope = f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body>{body}</s:Body></s:Envelope>'
        response = self._http.post(self._url, envelope.encode(), timeout=120)
        found = etree.fromstring(response.content)[-1][0]
        if not found.tag.endswith("}Fault"):
            return Answer({etree.QName(each).localname: each.text or "" for each in found[0]})
        detail = found.find("detail")
        if detail is None:
            return Answer({"message": found.findtext("faultstring") or ""}, str(found.findtext("faultcode")))
        members = {etree.QName(each).localname: each.text or "" for each in detail[0]}
        return Answer(members, etree.QName(detail[0]).localname)
