"""Sign-in and actions: who may act, what a forged form can't, and that every worker follows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from lxml import html

from soapsvc.settings import SettingsError, read_settings
from tests.conftest import Server, serving
from tests.console.conftest import TOKEN


class Visitor:
    """A browser as far as forms and cookies go."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()

    def form_token(self, path: str) -> str:
        root = html.fromstring(self.session.get(f"{self.url}{path}", timeout=60).content)
        (token,) = set(root.xpath("//input[@name='form_token']/@value"))
        return str(token)

    def send(self, path: str, fields: dict[str, Any], origin: str = "") -> requests.Response:
        headers = {"Origin": origin or self.url}
        return self.session.post(f"{self.url}{path}", fields, headers=headers, timeout=60, allow_redirects=False)

    def sign_in(self, token: str = TOKEN) -> requests.Response:
        return self.send("/actions/sign-in", {"token": token, "form_token": self.form_token("/actions/sign-in")})


@pytest.fixture
def visitor(admin_server: Server) -> Visitor:
    return Visitor(admin_server.url)


@pytest.fixture
def admin(visitor: Visitor) -> Visitor:
    assert visitor.sign_in().status_code == 303
    return visitor


def models_page(server: Server) -> Any:
    return requests.get(f"{server.url}/health/models", timeout=60).json()


def until(server: Server, true: Any) -> Any:
    """Return the models page once it is as wanted."""
    deadline = time.monotonic() + 60
    while not true(page := models_page(server)):
        assert time.monotonic() < deadline, page
        time.sleep(0.05)
    return page


def test_without_a_token_in_the_settings_there_are_no_actions(server: Server) -> None:
    assert requests.get(f"{server.url}/actions/sign-in", timeout=60).status_code == 404
    assert requests.post(f"{server.url}/actions/reload", timeout=60).status_code == 404
    assert "sign-in" not in requests.get(server.url, timeout=60).text


def test_visitor_sees_no_action(visitor: Visitor) -> None:
    assert "Reload the models folder" not in visitor.session.get(visitor.url, timeout=60).text
    assert "Move a label" not in visitor.session.get(f"{visitor.url}/models/iris", timeout=60).text


def test_cookie_holds_no_token_and_is_for_the_server_alone(visitor: Visitor) -> None:
    cookie = visitor.sign_in().headers["Set-Cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_reload_reaches_every_worker(admin: Visitor, admin_server: Server) -> None:
    asked = {worker["worker"]: worker["reloads"]["asked"] for worker in models_page(admin_server)["workers"]}
    done = admin.send("/actions/reload", {"form_token": admin.form_token("/")})
    assert (done.status_code, done.headers["Location"]) == (303, "../?done=reload")
    until(
        admin_server,
        lambda page: (
            all(each["reloads"]["asked"] > asked[each["worker"]] for each in page["workers"])
            and all(each["reloads"]["answered"] == each["reloads"]["asked"] for each in page["workers"])
        ),
    )


def test_label_moves_in_every_worker(admin: Visitor, admin_server: Server, folder: Path) -> None:
    for version in (1, 2):
        fields = {"form_token": admin.form_token("/models/iris"), "model": "iris", "label": "stable"}
        done = admin.send("/actions/label", fields | {"version": version})
        assert done.headers["Location"] == "../models/iris?done=label"
        assert yaml.safe_load((folder / "iris/labels.yaml").read_text()) == {"stable": version}
        place = [{"model": "iris", "label": "stable", "version": version, "wanted": version}]
        until(
            admin_server,
            lambda page, place=place: page["labels"] == place and not any(each["differs"] for each in page["workers"]),
        )
    assert "stable → 2" in requests.get(admin_server.url, timeout=60).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"version": "9"}, "has no version 9"),
        ({"version": "x"}, "version: expected a number"),
        ({"label": "No label"}, "expected a label"),
        ({"model": "../iris"}, "expected a model"),
    ],
)
def test_label_that_can_not_be_is_refused_in_words(admin: Visitor, fields: dict[str, str], words: str) -> None:
    right = {"model": "iris", "label": "canary", "version": "1", "form_token": admin.form_token("/")}
    answer = admin.send("/actions/label", right | fields)
    assert answer.status_code == 400
    assert words in answer.text


def test_form_of_another_origin_does_nothing(admin: Visitor) -> None:
    token = admin.form_token("/")
    for origin in ("http://evil.example", "null", admin.url.replace("localhost", "localhost.evil.example")):
        assert admin.send("/actions/reload", {"form_token": token}, origin).status_code == 403
    without = admin.session.post(f"{admin.url}/actions/reload", {"form_token": token}, timeout=60)
    assert without.status_code == 403


def test_form_without_the_token_of_this_session_does_nothing(admin: Visitor) -> None:
    other = Visitor(admin.url)
    assert other.sign_in().status_code == 303
    for token in ("", "x", other.form_token("/")):
        assert admin.send("/actions/reload", {"form_token": token}).status_code == 403


def test_visitor_who_knows_the_address_does_nothing(visitor: Visitor) -> None:
    token = visitor.form_token("/actions/sign-in")
    for path in ("/actions/reload", "/actions/label", "/actions/sign-out"):
        assert visitor.send(path, {"form_token": token}).status_code == 403


def test_forged_and_changed_cookies_are_nobody(admin: Visitor) -> None:
    (name, value), *_ = admin.session.cookies.items()
    role, expires, nonce, signature = value.split(".")
    visits = Visitor(admin.url)
    visits.form_token("/actions/sign-in")
    ((_, theirs),) = visits.session.cookies.items()
    for forged in (
        f"{role}.{int(expires) + 1}.{nonce}.{signature}", theirs.replace("visitor", "admin"), "admin", "", f"{value}0",
        f"{role}.x.{nonce}.{signature}",
    ):  # fmt: skip
        page = requests.get(admin.url, cookies={name: forged}, timeout=60)
        assert page.status_code == 200
        assert "Sign out" not in page.text
    assert "Sign out" in requests.get(admin.url, cookies={name: value}, timeout=60).text


def test_sign_out_ends_it(admin: Visitor) -> None:
    assert admin.send("/actions/sign-out", {"form_token": admin.form_token("/")}).status_code == 303
    assert "Sign out" not in admin.session.get(admin.url, timeout=60).text


def test_wrong_token_stands_in_no_log_and_the_next_one_has_to_wait(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with serving(tmp_path / "models", tmp_path / "log", "--admin-token", TOKEN) as server:
        visitor = Visitor(server.url)
        assert "This is not the admin token" in visitor.sign_in("wrong-but-long-enough").text
        waiting = visitor.sign_in()
        assert (waiting.status_code, waiting.headers["Retry-After"]) == (429, "1")
        logged = server.logged()
    assert "a wrong admin token came from" in logged
    assert "wrong-but-long-enough" not in logged
    assert TOKEN not in logged


def test_short_token_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="admin_token: expected 16 characters or more") as caught:
        read_settings(["--admin-token", "short-one"])
    assert "short-one" not in str(caught.value)


def test_settings_show_no_token() -> None:
    assert TOKEN not in repr(read_settings(["--admin-token", TOKEN]))
