"""Who may act: sign-in with the admin token, the session that a cookie holds, and the tokens of forms.

Any worker knows a session that another one began, for all of it stands in the cookie, signed by a key that is derived
from the admin token. Nothing is kept here but who gave a wrong token lately.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from soapsvc.console.request import Answer, Request

SESSION_S = 3600  # how long a sign-in lasts
_LONGEST_WAIT_S = 60
_REMEMBERED = 1000  # addresses that gave a wrong token; then the first go
_VISITOR, _ADMIN = "visitor", "admin"


@dataclass(frozen=True)
class Visit:
    """What a page knows of who asks. form_token: belongs into each form.  cookie: what keeps the visit."""

    is_admin: bool
    form_token: str
    cookie: str


class Admin:
    """Signs administrators in and tells whether a form is theirs. Safe to use from many threads."""

    def __init__(self, token: str) -> None:
        """token: the admin token."""
        self._token = token.encode()
        self._key = hashlib.scrypt(self._token, salt=b"soapsvc console", n=2**14, r=8, p=1)
        self._name = f"soapsvc-{self._sign('name')[:8]}"  # cookies know no ports: servers of one host keep apart
        self._lock = threading.Lock()  # guards what follows
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # peer -> how often, until when it waits

    def visit(self, request: Request) -> Visit:
        """Return the visit that a request belongs to, a new one where it brings none that counts."""
        value = request.cookie(self._name)
        role, _, rest = value.partition(".")
        expires, _, _ = rest.partition(".")
        content, _, signature = value.rpartition(".")
        known = hmac.compare_digest(signature.encode(), self._sign(f"visit {content}").encode())
        if known and role in (_VISITOR, _ADMIN) and int(expires) > time.time():
            return self._visit(content, request)
        return self._begin(_VISITOR, request)

    def is_ours(self, request: Request, visit: Visit) -> bool:
        """Return whether a form was sent from a page of this server that this visitor was given."""
        origin = request.headers.get("origin", "")
        hosts = {request.headers.get("host", "").lower(), urlsplit(request.base_url).netloc.lower()}
        if not origin.startswith(("http://", "https://")) or urlsplit(origin).netloc.lower() not in hosts:
            return False
        return hmac.compare_digest(request.form.get("form_token", "").encode(), visit.form_token.encode())

    def wait_s(self, request: Request) -> int:
        """Return for how many seconds no token is taken from the caller, who gave wrong ones."""
        with self._lock:
            _, until = self._wrong.get(request.peer, (0, 0.0))
        return max(0, int(until - time.monotonic() + 0.999))

    def sign_in(self, request: Request) -> Visit | None:
        """Return the visit of an administrator, None for a wrong token, after which the caller has to wait."""
        given = request.form.get("token", "").strip().encode()
        right = hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(self._token).digest())
        with self._lock:
            times, _ = self._wrong.pop(request.peer, (0, 0.0))
            if not right:
                self._wrong[request.peer] = (times + 1, time.monotonic() + min(2**times, _LONGEST_WAIT_S))
                if len(self._wrong) > _REMEMBERED:
                    self._wrong.popitem(last=False)
        return self._begin(_ADMIN, request) if right else None

    def sign_out(self, request: Request) -> Visit:
        """Return a visit of nobody in particular, which takes the place of the administrator's."""
        return self._begin(_VISITOR, request)

    def _begin(self, role: str, request: Request) -> Visit:
        content = f"{role}.{int(time.time()) + SESSION_S}.{secrets.token_hex(16)}"
        return self._visit(content, request)

    def _visit(self, content: str, request: Request) -> Visit:
        cookie = f"{self._name}={content}.{self._sign(f'visit {content}')}; Path=/; HttpOnly; SameSite=Strict"
        if request.base_url.startswith("https://"):
            cookie += "; Secure"
        return Visit(content.startswith(f"{_ADMIN}."), self._sign(f"form {content}"), cookie)

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def keeping(answer: Answer, visit: Visit | None) -> Answer:
    """Return an answer that has the browser keep its visit, where there is one."""
    if visit is None:
        return answer
    return replace(answer, headers={**answer.headers, "Set-Cookie": visit.cookie})
