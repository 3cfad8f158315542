"""Every block of code in the documentation is run, or stands in a table here that says who runs it or why nobody can.

Pages are followed from their first block to their last, each command as it stands there. A block that is in no table
and can't be run fails.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from lxml import etree

from soapsvc.authoring.freeze_contract import _ContractFile
from soapsvc.authoring.wiring import read_wiring
from soapsvc.cli import command_parser
from soapsvc.model.keys import check_part, checked
from soapsvc.model.manifest import Manifest
from soapsvc.settings import Settings
from tests.conftest import ROOT
from tests.docs.blocks import PAGES, Block, blocks, commands
from tests.docs.world import World

RUN_BY = {  # page and language: the test that runs such blocks
    ("docs/call-from-java.md", "sh"): "tests/clients/test_java.py",
    ("docs/call-from-java.md", "java"): "tests/clients/test_java.py",
    ("docs/call-from-java.md", "xml"): "tests/clients/test_java.py",
    ("docs/call-from-java.md", "text"): "tests/clients/test_java.py",
    ("docs/call-from-csharp.md", "csharp"): "tests/clients/test_csharp.py",
    ("docs/call-from-csharp.md", "text"): "tests/clients/test_csharp.py",
    ("docs/faults.md", "java"): "tests/clients/test_java.py",
    ("docs/faults.md", "csharp"): "tests/clients/test_csharp.py",
    ("docs/command-line.md", "sh"): "tests/docs/test_reference.py",
    ("docs/predict.md", "console"): "tests/predict/test_page.py",
    ("docs/predict.md", "csv"): "tests/predict/test_page.py",
    ("docs/production.md", "sh"): "tests/deploy/test_systemd.py",
    ("clients/java/README.md", "java"): "tests/clients/test_java.py",
    ("clients/csharp/README.md", "csharp"): "tests/clients/test_csharp.py",
    ("clients/csharp/README.md", "text"): "tests/clients/test_csharp.py",
}
NOT_RUN = {  # how a command begins: why it is not run here
    "cd my-service": "tests/starter/test_folder.py serves the folder that init makes",
    "dotnet": "a .NET SDK is in none of the registries that the tests install from",
    "cd FirstCall": "in the folder that dotnet makes",
    "testrunner.sh": "SoapUI is in none of them either",
    "loadtestrunner.sh": "SoapUI is in none of them either",
    "mvn verify": "tests/clients/test_java.py runs it",
    "mvn -q compile exec:java": "QuickstartIT of clients/java calls it",
    "cp target/soapsvc.war": "tests/clients/test_web.py runs the application in a Tomcat",
    "CATALINA_OPTS=": "tests/clients/test_web.py runs the application in a Tomcat",
}
MADE_UP = ("mobilenet", "house-number", "plates", "my-model")  # models that a page only tells of
LONG = ("tune",)  # commands that measure for minutes; tests of theirs run them
PRINTED = {  # text whose lines the block before it prints
    ("docs/other-clients.md", "setosa 0.999996"),
    ("docs/upgrade.md", "iris version 2 loads and gives its golden answers"),
    ("docs/upgrade.md", "iris version 1: AVAILABLE"),
}
SHOWN = {  # text that is no output of a command here: what it shows
    ("README.md", "models/iris/1/model.yaml"): "files",
    ("docs/manifest.md", "models/iris/1/model.yaml"): "files",
    ("docs/pipelines.md", "models/plates/1/model.yaml"): "files",
    ("docs/authoring.md", "soapsvc: model: tensor dense/w: Checksum"): "tests/authoring/test_inspect_command.py",
    ("docs/windows.md", "py -3.11 -m venv"): "commands of Windows",
    ("docs/conversations.md", "reply(sessionId?"): "a signature; tests/data holds the stubs'",
    ("docs/operations.md", "breaks the published contract"): "tests/soap/test_contracts.py",
    ("docs/tuning.md", "answers alike in 19 calls"): "times of one machine",
    ("docs/tuning.md", "iris version 1 runs on TensorFlow: "): "tests/model/test_runner.py",
    ("docs/settings.md", "2026-01-31 12:00:00,000 INFO soapsvc.calls"): "tests/transport/test_server.py",
    ("docs/settings.md", "2026-01-31 12:00:00,000 INFO soapsvc.messages"): "tests/transport/test_message_log.py",
}
TOGETHER = ("docs/publish.md",)  # pages that go on where the README ended
NUMBER = re.compile(r"\d+\.\d+(e-\d+)?")


@pytest.fixture
def world(place: World, page: Path) -> Iterator[World]:
    """The place; for the README, which starts servers itself, without one."""
    if page == ROOT / "README.md":
        place.stop()
    elif not place.is_published:
        place.serve_published()
    yield place
    place.tidy()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    place = World(tmp_path_factory.mktemp("world"))
    yield place
    place.stop()


def rounded(text: str) -> str:
    """Return text whose fractions have three digits, since the last ones differ between machines."""
    return NUMBER.sub(lambda found: f"{float(found[0]):.3g}", text)


def read_through(page: Path, world: World) -> None:
    """Run, or compare, every block of a page in its order."""
    base: dict[str, Any] = {}
    for block in blocks(page):
        if (block.page, block.language) in RUN_BY:
            assert (ROOT / RUN_BY[block.page, block.language]).is_file()
        elif block.language in ("yaml", "toml", "json", "python", "perl", "xml"):
            check: Callable[..., None] = globals()[f"check_{block.language}"]
            check(block, world, base) if block.language == "yaml" else check(block, world)
        elif block.language == "sh":
            world.printed = ""
            for command in commands(block.text):
                follow(command, block, world)
        else:
            check_text(block, world)


def follow(command: str, block: Block, world: World) -> None:
    """Do what a command says, or as much of it as can be done here."""
    words = shlex.split(command, comments=True) if "<<" not in command else command.split()
    if any(command.startswith(start) for start in NOT_RUN):
        return
    if words[0] == "make":
        follow_make(command, words, world)
    elif words[0] == "pip":
        assert set(re.findall(r"\w+", words[-1].partition("[")[2])) <= extras(), command
    elif any(word.endswith("serve.py") for word in words):
        assert isinstance(world.read_settings(command), Settings)
    elif words[1:2] == ["-m"] and words[2].startswith("bench"):
        assert find_spec(words[2]), command
    elif words[0] == "python" and words[1].startswith("examples/"):
        assert (ROOT / words[1]).is_file(), command
    elif "-m soapsvc" in command and only_parsed(words):
        command_parser("soapsvc").parse_args(words[words.index("soapsvc") + 1 :])
    else:
        world.run(command)


def only_parsed(words: list[str]) -> bool:
    """Return whether a command has words that stand for others, tells of a model that there is none, or takes long."""
    after = words[words.index("soapsvc") + 1 :]
    made_up = any(re.search(rf"\b{name}\b", word) for name in MADE_UP for word in after)
    return (
        made_up or after[0] in LONG or any(re.fullmatch(r"[A-Z_]+|[A-Z]+/.*|.*/NAME/VERSION", word) for word in after)
    )


def follow_make(command: str, words: list[str], world: World) -> None:
    """Serve where that is asked; of what takes minutes only see that it is there."""
    target = words[1]
    if target != "serve":
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), command
    elif "PORT=" not in command:
        world.serve_make(command)
    else:
        (told,) = commands(
            subprocess.run(
                ["make", "-n", "-o", ".venv/serve.stamp", *words[1:]],
                cwd=world.folder, env=world.environment(), capture_output=True, text=True, check=True,
            ).stdout
        )  # fmt: skip
        settings = world.read_settings(told)
        assert {f"HOST={settings.host}", f"PORT={settings.port}", f"MODELS={settings.models}"} == {
            world.here(word) for word in words[2:]
        }


def extras() -> set[str]:
    return set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def check_text(block: Block, world: World) -> None:
    """Compare what the block before printed, or find what is shown in the table."""
    assert block.language == "text", f"{block}: say its language, ```sh, ```text, ..."
    if (block.page, block.first) in PRINTED:
        printed = iter(rounded(world.printed).splitlines())
        assert all(line in printed for line in rounded(block.text).splitlines()), world.printed
    elif "?wsdl" in block.text:
        for url in re.findall(r"http\S+", block.text):
            assert "definitions" in requests.get(world.here(url), timeout=60).text
    else:
        assert [shown for page, shown in SHOWN if page == block.page and block.first.startswith(shown)], (
            f"{block}: neither printed by the block before it nor in SHOWN"
        )


def check_python(block: Block, world: World) -> None:
    world.run_python(block.text)


def check_perl(block: Block, world: World) -> None:
    """Run it; the block after it may show what it prints."""
    if subprocess.run(["perl", "-MSOAP::Lite", "-e", ""], capture_output=True, check=False).returncode:
        pytest.fail("SOAP::Lite is needed: apt-get install libsoap-lite-perl")
    script = world.folder / "block.pl"
    script.write_text(world.here(block.text))
    world.printed = ""
    world.run(f"perl {script}")


def check_xml(block: Block, world: World) -> None:
    """Compare an answer with what the block before got; see of a fault and of a fragment that it is XML."""
    text = block.text.replace("soap:Fault>", "Fault>").replace("soap:Client", "Client")
    parsed = etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=True))
    if "Envelope" in parsed.tag:
        got = etree.fromstring(world.printed.encode(), etree.XMLParser(remove_blank_text=True))
        assert rounded(etree.tostring(parsed).decode()) == rounded(etree.tostring(got).decode())
    elif parsed.tag == "Fault":
        sent = '<predict xmlns="urn:soapsvc:iris:v1"><sepalLength>5</sepalLength><sepalWidth>3</sepalWidth>'
        got = world.post("iris", f"{sent}<petalLength>abc</petalLength><petalWidth>1</petalWidth></predict>")
        assert without_id("".join(block.text.split("\n"))) in without_id(got)


def without_id(text: str) -> str:
    return re.sub(r">\s+<", "><", re.sub(r"<requestId>\w+<", "<requestId>ID<", text))


def check_json(block: Block, world: World) -> None:
    """See that it is a golden call of iris, which the model gives."""
    (line,) = block.text.splitlines()
    golden = [json.loads(each) for each in (world.folder / "models/iris/1/warmup.jsonl").read_text().splitlines()]
    assert json.loads(rounded(line)) in [json.loads(rounded(json.dumps(call))) for call in golden]


def check_toml(block: Block, world: World) -> None:
    """Put the settings where the page has them, and read them."""
    (world.folder / "etc/soapsvc.toml").write_text(block.text)
    settings = world.read_settings("serve.py --settings /etc/soapsvc.toml").model_dump(mode="json")
    assert {name: settings[name] for name in tomllib.loads(block.text)} == tomllib.loads(block.text)


def check_yaml(block: Block, world: World, base: dict[str, Any]) -> None:
    """Read a manifest, keys that go into the page's first one, a wiring, a contract, or Prometheus's configuration."""
    content = yaml.safe_load(block.text)
    file = world.folder / "block.yaml"
    file.write_text(block.text)
    if "scrape_configs" in content:
        world.run(f"promtool check config {file}")
    elif "parts" in content or "wires" in content:
        read_wiring(file, [("find", Path("find.pb")), ("read", Path("read.pb"))])
    elif "format" in content:
        base.clear()
        base.update(content)
        checked(Manifest, content, str(block))
    elif "signatures" in content or base:
        checked(
            Manifest, {"format": 1, "name": "x", **({} if "signatures" in content else base), **content}, str(block)
        )
    else:
        check_part(_ContractFile, content, str(block))


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if str(page.relative_to(ROOT)) not in TOGETHER],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_blocks_of_a_page_do_what_it_says(page: Path, world: World) -> None:
    read_through(page, world)
    if page == ROOT / "README.md":
        for other in TOGETHER:
            read_through(ROOT / other, world)


def test_tables_name_blocks_and_commands_that_there_are() -> None:
    every = [block for page in PAGES for block in blocks(page)]
    said = [command for block in every if block.language == "sh" for command in commands(block.text)]
    assert {key for key in RUN_BY if key not in {(block.page, block.language) for block in every}} == set()
    assert [start for start in NOT_RUN if not any(command.startswith(start) for command in said)] == []
    shown = {(block.page, block.first) for block in every}
    assert [key for key in SHOWN if not any(page == key[0] and first.startswith(key[1]) for page, first in shown)] == []
    assert shown >= PRINTED
