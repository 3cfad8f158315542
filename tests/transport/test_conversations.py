"""Conversations with real servers: the bundled model, bad input, many clients, killed workers, swaps, Redis."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.conftest import ROOT, Server, serving, until
from tests.redis_server import RedisServer
from tests.soak.conversations import build_tally, converse
from tests.transport.talk import Talk
from tests.transport.test_workers import processes, sessions

CLIENTS, TURNS = 16, 20


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models chat and tally."""
    folder = tmp_path_factory.mktemp("talk") / "models"
    shutil.copytree(ROOT / "models/chat", folder / "chat")
    build_tally(folder / "tally/1")
    return folder


@pytest.fixture(scope="module")
def two(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two workers that keep their sessions in SQLite, few of them."""
    folder = tmp_path_factory.mktemp("two")
    arguments = ("--workers", "2", "--watch-interval-s", "0.2", "--trial-load", "never", "--message-log", "all")
    with serving(models, folder / "server.log", *arguments, "--max-sessions", "64") as running:
        yield running


# The bundled model


def test_chat_remembers_the_name_does_sums_and_tells_the_time(two: Server) -> None:
    talk = Talk(two.url, "chat")
    first = talk.say("Hello, my name is Zoë")
    assert (first.state, first.sentence) == ("started", "Nice to meet you, Zoë.")
    second = talk.say("What is 3 plus 4?")
    assert (second.state, second.session, second.sentence) == ("continued", first.session, "That is 7.")
    before = time.strftime("It is %H:%M.")
    assert talk.say("What time is it?").sentence in {before, time.strftime("It is %H:%M.")}
    assert talk.say("What did I just say?").sentence == "You said: What time is it?"
    assert talk.say("What is my name?").sentence == "Your name is Zoë."
    assert talk.say("Who won the football match?").sentence.startswith("I do not know that.")
    assert Talk(two.url, "chat").say("What is my name?").sentence == "You have not told me your name yet."


def test_chat_fills_no_slot_that_a_client_sends(two: Server) -> None:
    talk = Talk(two.url, "chat")
    talk.say("{time} {sum} 1+1")
    assert talk.say("What did I say?").sentence == "You said: time sum 1+1"


def test_session_goes_on_in_another_worker(two: Server) -> None:
    talk = Talk(two.url, "tally")
    talk.say("one")
    for kept in sessions(two).values():
        talk._http = kept
        talk._http.headers.update({"Content-Type": "text/xml; charset=utf-8"})
        talk.say("more")
    assert talk.say("end").sentence == "one more more end "


def test_predict_answers_as_the_first_call_of_a_session_that_nobody_keeps(two: Server) -> None:
    instances = "".join(f"<item><question>{each}</question></item>" for each in ("1 + 2", "my name is Ada", "name?"))
    body = f'<predictBatch xmlns="urn:soapsvc:chat:v1"><instances>{instances}</instances></predictBatch>'
    envelope = f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>'
    response = requests.post(f"{two.url}/soap/chat/v1", envelope, headers={"Content-Type": "text/xml"}, timeout=60)
    assert re.findall("<sentence>(.*?)</sentence>", response.text)[:2] == ["That is 3.", "Nice to meet you, Ada."]


# Bad input


def test_empty_question_is_answered(two: Server) -> None:
    assert Talk(two.url, "chat").say("").sentence == "You said nothing. Ask me what I can do."


def test_question_of_a_megabyte_is_refused_and_changes_nothing(two: Server) -> None:
    talk = Talk(two.url, "tally")
    talk.say("one")
    answer = talk.say("x" * 1_000_000)
    assert (answer.fault, answer.members["code"], answer.members["field"]) == ("InvalidInput", "too-large", "question")
    assert talk.say("two").sentence == "one two "


def test_control_characters_are_kept_or_refused(two: Server) -> None:
    talk = Talk(two.url, "tally")
    assert talk.send("a&#x85;b\tc&#13;").sentence == "a\x85b\tc\r "
    for character in ("\x01", "&#1;", "&#0;", "\x1b", "\ufffe"):
        assert talk.send(f"a{character}b").fault == "soap:Client"


def test_stolen_id_finds_nothing(two: Server) -> None:
    owner = Talk(two.url, "tally", Authorization="Basic b3duZXI6YQ==")
    owner.say("secret")
    for headers in ({"Authorization": "Basic dGhpZWY6YQ=="}, {}):
        answer = Talk(two.url, "tally", owner.session, **headers).say("mine")
        assert (answer.state, answer.sentence, answer.session != owner.session) == ("expired", "mine ", True)
    assert owner.say("still").sentence == "secret still "


def test_ids_and_credentials_stand_in_no_log(two: Server) -> None:
    talk = Talk(two.url, "tally", Authorization="Basic bG9nZ2VkOmE=")
    talk.say("heard in the log")
    talk.say("and again")
    until(lambda: "and again" in two.logged())
    assert str(talk.session) not in two.logged()
    assert "bG9nZ2VkOmE=" not in two.logged()


def test_full_store_lets_the_longest_idle_session_go(two: Server) -> None:
    oldest = Talk(two.url, "tally")
    oldest.say("one")
    for _ in range(64):
        Talk(two.url, "tally").say("other")
    assert oldest.say("two").state == "expired"


# Many clients, a killed worker, swaps


def test_no_turn_is_swapped_or_lost_though_a_worker_is_killed(two: Server) -> None:
    before = processes(two)
    with ThreadPoolExecutor(CLIENTS) as pool:
        calls = [pool.submit(converse, two.url, client, TURNS) for client in range(CLIENTS)]
        until(lambda: two.logged().count("model=tally") > CLIENTS * 4)
        os.kill(before[1], signal.SIGKILL)
        done = [call.result(300) for call in calls]
    assert [told.broken() for told in done] == [""] * CLIENTS
    until(lambda: {**before, **processes(two)}[1] != before[1], 300)


# Redis, and swaps with it


@pytest.fixture(scope="module")
def on_redis(redis_server: RedisServer, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that keeps its sessions in Redis, and a models folder of its own."""
    folder = tmp_path_factory.mktemp("redis")
    shutil.copytree(models / "tally", folder / "models/tally")
    arguments = ("--watch-interval-s", "0.2", "--trial-load", "never", "--sessions", redis_server.url)
    with serving(folder / "models", folder / "server.log", *arguments) as running:
        yield running


def test_redis_gone_is_a_typed_fault_and_sessions_go_on_when_it_is_back(
    on_redis: Server, redis_server: RedisServer
) -> None:
    talk = Talk(on_redis.url, "tally")
    assert talk.say("one").state == "started"
    redis_server.stop()
    try:
        answer = talk.say("lost")
        assert (answer.fault, answer.members["code"]) == ("Unavailable", "unavailable")
        assert int(answer.members["retryAfterSeconds"]) > 0
        assert Talk(on_redis.url, "tally").say("new").fault == "Unavailable"
        assert requests.get(f"{on_redis.url}/health/ready", timeout=60).status_code == 200
        until(lambda: "the sessions can't be reached now" in on_redis.logged())
    finally:
        redis_server.start()
    answer = talk.say("two")
    assert (answer.state, answer.sentence) == ("continued", "one two ")
    until(lambda: "the sessions can be reached again" in on_redis.logged())


def test_session_survives_a_swap_unless_its_state_has_changed(on_redis: Server, models: Path) -> None:
    served = on_redis.log.parent / "models/tally"
    talk = Talk(on_redis.url, "tally")
    assert talk.say("one").members["modelVersion"] == "1"
    shutil.copytree(served / "1", served / ".2")
    (served / ".2").rename(served / "2")
    until(lambda: Talk(on_redis.url, "tally").say("new").members["modelVersion"] == "2", 120)
    answer = talk.say("two")
    assert (answer.state, answer.sentence) == ("continued", "one two ")
    build_tally(served / ".3", "counting")
    (served / ".3").rename(served / "3")
    until(lambda: Talk(on_redis.url, "tally").say("new").members["modelVersion"] == "3", 120)
    kept = talk.session
    answer = talk.say("three")
    assert (answer.state, answer.session, answer.sentence) == ("reset", kept, "1")
    answer = talk.say("four")
    assert (answer.state, answer.session, answer.sentence) == ("continued", kept, "2")


def test_settings_of_sessions_that_can_not_be_used_stop_the_start(models: Path, tmp_path: Path) -> None:
    for place, reason in (
        ("http://localhost", "sessions: expected a file, or a URL that starts with redis:// or rediss://"),
        (str(tmp_path / "none/file"), "sessions can't be kept: [Errno 2] No such file or directory"),
    ):
        command = [sys.executable, "serve.py", "--models", str(models), "--port", "0", "--sessions", place]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 2
        assert reason in done.stderr
