"""Whatever is posted, and however it says it was sent, is answered in SOAP: never as plain text, never by a defect."""

from __future__ import annotations

import encodings.aliases
import gzip
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soapsvc.soap.ns import SoapVersion
from soapsvc.transport.coding import MAX_RATIO, NotInflated, inflate
from tests.fuzz.seeds import DICTIONARY, seeds
from tests.fuzz.targets import Case
from tests.properties.web import SETTINGS, Web
from tests.soap.messages import check_answer

pytestmark = pytest.mark.timeout(600)  # of a test of hundreds of calls: only a call that never ends takes it
SEEDS = list(seeds())
CODECS = sorted({*encodings.aliases.aliases, *encodings.aliases.aliases.values(), "idna", "punycode", "undefined"})
HEADER = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=60)
PARAMETER = st.tuples(st.sampled_from(["charset", "type", "start", "boundary", "action", "a*", "a*0", "a*0*"]), HEADER)
WORDS = [word.encode() for word in DICTIONARY]
Edit = tuple[float, int, bytes]


def path_of(case: Case) -> str:
    return f"/{'soap' if case.soap is SoapVersion.SOAP11 else 'soap12'}/{case.model}/v1"


@st.composite
def content_types(draw: Callable[..., str]) -> str:
    """Return a Content-Type near enough to a good one to be looked into."""
    media_type = draw(st.sampled_from([*(soap.mime_type for soap in SoapVersion), "multipart/related", ""]))
    charset = draw(st.sampled_from(["", *(f"; charset={name}" for name in CODECS)]))
    parameters = draw(st.lists(PARAMETER.map(lambda pair: f'; {pair[0]}="{pair[1]}"'), max_size=3))
    return media_type + charset + "".join(parameters)


def edits() -> st.SearchStrategy[list[Edit]]:
    """Return where to cut how much of a message, and what to put there."""
    put = st.one_of(st.sampled_from(WORDS), st.binary(max_size=6))
    return st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), put), min_size=1, max_size=4)


def edited(content: bytes, changes: list[Edit]) -> bytes:
    for where, cut, put in changes:
        start = int(where * len(content))
        content = content[:start] + put + content[start + cut :]
    return content


@given(st.binary(), content_types(), HEADER, st.sampled_from(SEEDS))
def test_any_bytes_are_answered_in_soap(web: Web, content: bytes, content_type: str, action: str, case: Case) -> None:
    reply = web.post(path_of(case), content, content_type, HTTP_SOAPACTION=action)
    check_answer(reply)
    assert reply.status != 200


@given(st.sampled_from(SEEDS), edits())
def test_any_edit_of_a_good_message_is_answered_in_soap(web: Web, case: Case, changes: list[Edit]) -> None:
    check_answer(web.post(path_of(case), edited(case.content, changes), case.content_type))


@given(st.sampled_from(SEEDS), st.one_of(HEADER, content_types()), HEADER, HEADER, HEADER)
@example(SEEDS[0], "text/xml; a*=b; a*0=c", "", "", "")
@example(SEEDS[0], 'text/xml; a="' + ";" * 60_000, "", "", "")
@example(SEEDS[0], "text/xml; charset=" + "9" * 5000, '"' * 9, "9" * 5000, "gzip;q=" + "." * 99)
def test_any_header_is_answered_in_soap(
    web: Web, case: Case, content_type: str, action: str, deadline: str, accepted: str
) -> None:
    headers = {
        "HTTP_SOAPACTION": action, "HTTP_X_DEADLINE_MS": deadline, "HTTP_ACCEPT": accepted, "HTTP_X_REQUEST_ID": action,
    }  # fmt: skip
    check_answer(web.post(path_of(case), case.content, content_type, **headers))


@given(st.sampled_from(SEEDS), st.sampled_from(CODECS))
def test_any_charset_is_answered_in_soap(web: Web, case: Case, charset: str) -> None:
    declared = b"<?xml version='1.0' encoding='" + charset.encode() + b"'?>" + case.content
    for content, content_type in ((case.content, f"{case.soap.mime_type}; charset={charset}"),
                                  (declared, case.soap.mime_type)):  # fmt: skip
        check_answer(web.post(path_of(case), content, content_type))


@given(st.sampled_from(SEEDS), st.binary(max_size=40), st.one_of(st.just("gzip"), HEADER), edits(), st.booleans())
def test_any_coding_is_answered_in_soap(
    web: Web, case: Case, tail: bytes, coding: str, changes: list[Edit], whole: bool
) -> None:
    packed = gzip.compress(case.content, mtime=0)
    body = packed + tail if whole else edited(packed, changes)
    check_answer(web.post(path_of(case), body, case.content_type, HTTP_CONTENT_ENCODING=coding))


@given(HEADER, st.sampled_from(SEEDS))
def test_any_path_below_soap_is_answered_in_soap(web: Web, path: str, case: Case) -> None:
    for prefix in ("/soap/", "/soap12/", path_of(case) + "/versions/", path_of(case) + "/labels/"):
        reply = web.post(prefix + path, case.content, case.content_type)
        check_answer(reply)
        assert reply.status != 200


@given(st.binary(max_size=200), st.integers(1, 2000))
def test_inflated_message_keeps_both_limits(content: bytes, repeated: int) -> None:
    packed = gzip.compress(content * repeated, mtime=0)
    if len(content) * repeated <= min(50_000, MAX_RATIO * len(packed)):
        assert inflate(packed, "gzip", 50_000) == content * repeated
        return
    with pytest.raises(NotInflated) as raised:
        inflate(packed, "gzip", 50_000)
    assert raised.value.status == 413


def test_good_messages_are_good(web: Web) -> None:
    """The seeds that the tests above start from get answers, or the tests would see only the first refusal."""
    statuses = [web.post(path_of(case), case.content, case.content_type).status for case in SEEDS]
    assert statuses.count(200) == len(SEEDS)
    assert SETTINGS.mtom == "auto"
