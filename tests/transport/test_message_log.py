"""A real server that logs every message: secrets planted in all places that calls reach, and looked for in the log."""

from __future__ import annotations

import base64
import gzip
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from soapsvc.soap.ns import SoapVersion
from tests.conftest import ROOT, Server, serving
from tests.soap.conftest import envelope
from tests.soap.messages import INFERENCE, NS, PNG, members, predict, tensor
from tests.soap.packages import Part, content_type, include, package, root
from tests.soap.test_message_log import SECURITY

SECRET = "PSSST"
SOAP11, SOAP12 = SoapVersion
BYTES = base64.b64decode(PNG)


@pytest.fixture(scope="module")
def telling(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that logs all it can, with a model whose note and pair are sensitive."""
    folder = tmp_path_factory.mktemp("telling")
    shutil.copytree(models / "kinds", folder / "models/kinds")
    path = folder / "models/kinds/1/model.yaml"
    manifest = yaml.safe_load(path.read_text())
    manifest["contract"]["inputs"] |= {"note": {"sensitive": True}}
    manifest["contract"]["inputs"]["pair"]["sensitive"] = True
    manifest["contract"]["outputs"] |= {"note": {"sensitive": True}}
    manifest["contract"]["outputs"]["scores"]["sensitive"] = True
    path.write_text(yaml.safe_dump(manifest, sort_keys=False))
    with serving(folder / "models", folder / "log", "--message-log", "all", "--log-level", "debug") as running:
        yield running


def post(server: Server, content: bytes, path: str = "/soap/kinds/v1", **headers: str) -> requests.Response:
    named = {"Content-Type": "text/xml"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(server.url + path, content, headers=named, timeout=60)


def lines(server: Server, request_id: str) -> list[str]:
    """Return the lines of the log of messages that belong to a request."""
    found = re.findall(rf"^\S+ \S+ INFO soapsvc\.messages request={request_id} (.*)$", server.logged(), re.MULTILINE)
    assert len(found) == 2, server.logged()
    return list(found)


def test_planted_secrets_are_nowhere_in_the_log(telling: Server) -> None:
    attached = f"<picture>{include('picture')}</picture>"
    mtom = predict(note=SECRET).replace(f"<picture>{PNG}</picture>", attached)
    tensors = tensor("string", "1", f"<strings><item>{SECRET}</item></strings>")
    given = f"<inputs><item><name>note</name><tensor>{tensors}</tensor></item></inputs>"
    numbers = tensor("float64", "1 2", f"<doubles><item>{SECRET}</item><item>1</item></doubles>")
    wrong = f"<inputs><item><name>pair</name><tensor>{numbers}</tensor></item></inputs>"
    batch = f'<predictBatch xmlns="{NS}"><instances><item>{members(left=SECRET)}</item></instances></predictBatch>'
    answers = [
        post(telling, envelope(predict(note=SECRET))),
        post(telling, envelope(predict(note=SECRET), SOAP12), "/soap12/kinds/v1", Content_Type=SOAP12.content_type),
        post(telling, gzip.compress(envelope(predict(note=SECRET))), Content_Encoding="gzip"),
        post(telling, package([root(envelope(mtom)), Part("picture", BYTES)]), Content_Type=content_type()),
        post(telling, envelope(predict(), header=SECURITY)),
        post(telling, envelope(predict(left=SECRET))),
        post(telling, envelope(predict(note=SECRET).replace("note>", "noot>"))),
        post(telling, envelope(predict(note=SECRET * 50))),
        post(telling, envelope(batch)),
        post(telling, envelope(predict(note=SECRET))[:-20]),
        post(telling, b"<!DOCTYPE a>" + envelope(predict(note=SECRET))),
        post(telling, envelope(predict(note=SECRET)), Content_Type="text/plain"),
        post(telling, envelope(predict(note=SECRET)), X_Deadline_Ms="soon"),
        post(telling, b"--" + SECRET.encode(), Content_Type=content_type()),
        post(telling, envelope(predict(note=SECRET)), Content_Encoding=SECRET),
        post(telling, envelope(f'<predict xmlns="{INFERENCE}"><modelName>kinds</modelName>{given}</predict>'),
             "/soap/inference/v1"),
        post(telling, envelope(f'<predict xmlns="{INFERENCE}"><modelName>kinds</modelName>{wrong}</predict>'),
             "/soap/inference/v1"),
    ]  # fmt: skip
    assert [each.status_code for each in answers] == [200] * 5 + [500] * 6 + [415, 400, 500, 415, 500, 500]
    assert all(SECRET not in each.text for each in answers[5:])
    log = telling.logged()
    assert log.count("soapsvc.messages request=") == 2 * len(answers)
    for secret in (SECRET, base64.b64encode(SECRET.encode()).decode(), PNG[:16], "\\x89PNG", "IHDR"):
        assert secret not in log
    assert "received=" in log
    assert f"<picture>[binary, {len(BYTES)} bytes]</picture>" in log
    assert "Traceback" not in log


def test_message_that_can_not_be_read_is_its_length(telling: Server) -> None:
    post(telling, b"<a>" + SECRET.encode(), X_Request_Id="unreadable")
    assert lines(telling, "unreadable")[0] == f"received={3 + len(SECRET)}"


def test_message_forges_no_line(telling: Server) -> None:
    forged = "&#10;2026-01-31 12:00:00,000 INFO soapsvc.calls request=forged model=kinds outcome=ok"
    answer = post(telling, envelope(predict(words=f"<item>{forged}</item>")), X_Request_Id="forger")
    assert answer.status_code == 500  # too long for the model, but well-formed
    assert "\\u000a2026-01-31" in lines(telling, "forger")[0]
    assert [line for line in telling.logged().splitlines() if line.startswith("2026-01-31")] == []


@pytest.mark.parametrize("operation", ["predict", "getModel"])
def test_name_of_a_model_forges_no_line(telling: Server, operation: str) -> None:
    name = "kinds&#10;2026-01-31 12:00:00,000 INFO soapsvc.calls request=forged model=kinds outcome=ok"
    given = "<inputs/>" if operation == "predict" else ""
    body = f'<{operation} xmlns="{INFERENCE}"><modelName>{name}</modelName>{given}</{operation}>'
    assert "ModelNotFound" in post(telling, envelope(body), "/soap/inference/v1").text
    assert [line for line in telling.logged().splitlines() if line.startswith("2026-01-31")] == []


@pytest.mark.parametrize(("wanted", "failed", "good"), [("off", 0, 0), ("faults", 2, 0)])
def test_setting_chooses_the_calls(tmp_path: Path, wanted: str, failed: int, good: int) -> None:
    with serving(ROOT / "models", tmp_path / "log", "--message-log", wanted) as server:
        names = "sepalLength", "sepalWidth", "petalLength", "petalWidth"
        flower = "".join(f"<{name}>5</{name}>" for name in names)
        body = f'<predict xmlns="urn:soapsvc:iris:v1">{flower}</predict>'
        assert post(server, envelope(body), "/soap/iris/v1", X_Request_Id="good").status_code == 200
        bad = body.replace(">5<", ">five<")
        assert post(server, envelope(bad), "/soap/iris/v1", X_Request_Id="bad").status_code == 500
        log = server.logged()
    assert (log.count("soapsvc.messages request=bad"), log.count("soapsvc.messages request=good")) == (failed, good)
