"""The SoapUI projects: what the command writes, and what a server answers to their requests.

SoapUI itself is in no package registry. A grammar after SoapUI's own schema judges the files, `soapui.py` their tests.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lxml import etree

from tests.clients.soapui import CON, Project, definition
from tests.conftest import ROOT, Server

MODELS = sorted(path.name for path in (ROOT / "models").iterdir())
GRAMMAR = ROOT / "tests/clients/soapui.rng"


def committed(model: str) -> Path:
    return ROOT / f"clients/soapui/{model}-soapui-project.xml"


def command(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "soapsvc", "soapui", *map(str, arguments)], cwd=ROOT, capture_output=True
    )


@pytest.fixture(scope="module")
def kinds(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the model with every kind of value, in SOAP 1.2."""
    path = tmp_path_factory.mktemp("soapui") / "kinds.xml"
    done = command("kinds", "--models", models, "--soap12", "--url", "https://ml.example.org/x/", "--to", path)
    assert done.returncode == 0, done.stderr.decode()
    return path


@pytest.fixture(params=[*MODELS, "faces", "kinds"])
def path(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue("kinds") if request.param == "kinds" else committed(request.param)


@pytest.fixture
def serving(request: pytest.FixtureRequest, path: Path) -> Server:
    """A server that has the project's model."""
    running: Server = request.getfixturevalue("faces_server" if path == committed("faces") else "server")
    return running


def replies(path: Path) -> list[str]:
    return ["reply"] if path == committed("chat") else []


@pytest.mark.parametrize("model", MODELS)
def test_committed_project_is_what_the_command_writes(model: str) -> None:
    done = command(model)
    assert done.stdout == committed(model).read_bytes(), (
        f"if the change is meant: python -m soapsvc soapui {model} --force --to {committed(model).relative_to(ROOT)}\n"
        f"{done.stderr.decode()}"
    )


def test_committed_project_of_faces_is_what_the_command_writes(faces_models: Path) -> None:
    done = command("faces", "--models", faces_models, "--pipeline-code", "faces")
    assert done.stdout == committed("faces").read_bytes(), (
        "if the change is meant: make example-faces, then python -m soapsvc soapui faces --models .faces/models "
        f"--pipeline-code faces --force --to clients/soapui/faces-soapui-project.xml\n{done.stderr.decode()}"
    )


def test_every_bundled_model_and_faces_have_a_project() -> None:
    assert {path.name for path in (ROOT / "clients/soapui").glob("*.xml")} == {
        committed(model).name for model in [*MODELS, "faces"]
    }


def test_project_is_of_the_form_that_soapui_reads(path: Path) -> None:
    grammar = etree.RelaxNG(etree.parse(GRAMMAR))
    assert grammar.validate(etree.parse(path)), grammar.error_log


def test_project_carries_the_published_definition(path: Path) -> None:
    project = Project(path, "")
    (interface,) = project.interfaces.values()
    version = {"1_1": "", "1_2": ".soap12"}[interface.attrib["soapVersion"]]
    model = path.name.removesuffix("-soapui-project.xml").removesuffix(".xml")
    address = str(project.properties["endpoint"])
    binding = definition(interface).find("{*}binding")
    assert binding is not None
    assert interface.get("bindingName") == f"{{urn:soapsvc:{model}:v1}}{binding.get('name')}"
    assert definition(interface).xpath("string(//*[local-name()='address']/@location)") == address
    if model != "kinds":
        published = etree.parse(ROOT / f"wsdl/{model}{version}.wsdl")
        assert etree.tostring(definition(interface), method="c14n") == etree.tostring(published, method="c14n")


def test_steps_name_interfaces_and_operations_of_the_project(path: Path, serving: Server) -> None:
    project = Project(path, serving.url)
    known = {(interface.get("name"), operation) for interface, operation, _ in project.samples()}
    named = {
        (step.findtext(f"{CON}config/{CON}interface"), step.findtext(f"{CON}config/{CON}operation"))
        for step in project.steps()
        if step.get("type") == "request"
    }
    assert named == known
    assert {operation for _, operation in named} == {"predict", "predictBatch", "getModelInfo", *replies(path)}


def test_every_assertion_holds(path: Path, serving: Server) -> None:
    project = Project(path, serving.url)
    assert {step.get("name"): project.run(step) for step in project.steps()} == {
        "predict": [],
        "predictBatch": [],
        "getModelInfo": [],
        "predict without input": [],
        **({"reply": [], "sessionId": [], "reply once more": []} if replies(path) else {}),
    }


def test_every_sample_request_is_answered(path: Path, serving: Server) -> None:
    project = Project(path, serving.url)
    answers = [project.send(*sample) for sample in project.samples()]
    assert {answer.status for answer in answers} == {200}
    assert len(answers) == 3 + len(replies(path))


def assertions(project: Project) -> Iterator[tuple[etree._Element, etree._Element]]:
    for step in project.steps():
        yield from ((step, assertion) for assertion in step.iter(f"{CON}assertion"))


def test_assertions_fail_on_another_answer(server: Server) -> None:
    """The answer to an invalid request breaks what the valid one keeps, and the other way round."""
    project = Project(committed("iris"), server.url)
    steps = {step.get("name"): step for step in project.steps()}
    good, bad = (steps[name].find(f".//{CON}request/{CON}request") for name in ("predict", "predict without input"))
    assert good is not None
    assert bad is not None
    good.text, bad.text = bad.text, good.text
    for step in (steps["predict"], steps["predict without input"]):
        names = {assertion.attrib["name"] for _, assertion in assertions(project) if assertion in step.iter()}
        assert {failure.partition(": ")[0] for failure in project.run(step)} == names


@pytest.mark.parametrize(
    ("model", "label", "field"),
    [("iris", "setosa", "sepalLength"), ("digits", "1", "image"), ("language", "de", "text")],
)
def test_project_asks_for_the_label_and_the_field_at_fault(model: str, label: str, field: str) -> None:
    project = Project(committed(model), "")
    expected = {
        str(assertion.findtext(".//path")).splitlines()[-1]: assertion.findtext(".//content")
        for _, assertion in assertions(project)
        if assertion.get("type") == "XPath Match"
    }
    assert expected["//m:predictResult/m:probabilities/m:item[1]/m:label"] == label
    assert expected["//m:predictBatchResult/m:item[2]/m:probabilities/m:item[1]/m:label"] == label
    assert expected["//m:InvalidInput/m:field"] == field


def test_conversation_goes_on_with_the_id_that_was_transferred(server: Server) -> None:
    project = Project(committed("chat"), server.url)
    steps = {str(step.get("name")): step for step in project.steps()}
    assert project.run(steps["reply"]) == []
    project.run(steps["sessionId"])
    project._of_test_case["sessionId"] += "x"
    (failure,) = project.run(steps["reply once more"])
    assert failure == "XPath //m:replyResult/m:sessionState: expected 'continued', found ['expired']"


def test_load_test_can_be_carried_out(server: Server) -> None:
    project = Project(committed("iris"), server.url)
    (load_test,) = project.root.iter(f"{CON}loadTest")
    (step,) = [step for step in project.steps() if step.getparent() is load_test.getparent()]
    threads, calls = (int(str(load_test.findtext(f"{CON}{name}"))) for name in ("threadCount", "testLimit"))
    with ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(lambda _: project.run(step), range(calls))) == [[]] * calls


def test_addresses_stand_under_the_url(kinds: Path) -> None:
    project = Project(kinds, "")
    assert project.properties == {"endpoint": "https://ml.example.org/x/soap12/kinds/v1"}
    assert {node.text for node in project.root.iter(f"{CON}endpoint")} == {"${#Project#endpoint}"}


def test_file_that_exists_is_kept_without_force(tmp_path: Path) -> None:
    (tmp_path / "iris.xml").write_text("mine")
    done = command("iris", "--to", tmp_path / "iris.xml")
    assert (done.returncode, (tmp_path / "iris.xml").read_text()) == (1, "mine")
    assert b"iris.xml exists; give another name, or replace it with --force" in done.stderr


def test_model_that_is_not_there_is_an_error_with_the_names_of_those_that_are(tmp_path: Path) -> None:
    done = command("rose", "--to", tmp_path / "rose.xml")
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (1, b"", [])
    assert done.stderr.decode() == f"soapsvc: no model named rose in models; there are {', '.join(MODELS)}\n"
