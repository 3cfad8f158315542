"""What the SOAP tests share: the contract of `kinds` behind a graph that needs no TensorFlow.

The graph is a stand-in, so that these tests run on Pythons without TensorFlow too; tests/clients uses real graphs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soapsvc.engine.local import LocalEngine
from soapsvc.model.binding import Binding
from soapsvc.model.description import describe
from soapsvc.model.dtypes import Array
from soapsvc.model.manager import ModelManager
from soapsvc.model.servable import Servable
from soapsvc.model.source import VersionFolder
from soapsvc.soap.application import Reply, SoapEndpoint
from soapsvc.soap.call import Call
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.envelope import ContentType
from soapsvc.soap.ns import SoapVersion
from tests.kinds import GOLDEN, MANIFEST


class EchoGraph:
    """Answers like the graph of tests/kinds.py: every output is its input, and `shifted` twice the offset."""

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        batch = len(feeds["flag:0"])
        offset = feeds.get("offset:0", np.zeros(batch, np.float32))
        known = {name.replace(":0", "_out:0"): value for name, value in feeds.items()}
        known["shifted:0"] = offset * np.float32(2)
        return [known[name] for name in fetches]

    def close(self) -> None:
        """Nothing to free."""


def load_kinds(folder: VersionFolder) -> Servable:
    """Load what `soapsvc.model.loader` would, without TensorFlow."""
    described = describe(folder)
    limits = described.manifest.limits_of_calls()
    signature = described.signatures["predict"]
    binding = Binding(described.contract, signature, limits)
    golden = {
        name: np.asarray(value, dtype=object if spec.dtype == "string" else spec.dtype)
        for name, spec in signature.inputs.items()
        for value in [GOLDEN[name]]
    }
    golden["note"] = np.array([GOLDEN["note"][0].encode()], dtype=object)
    golden["words"] = np.array([[word.encode() for word in GOLDEN["words"][0]]], dtype=object)
    return Servable(
        name=folder.name,
        version=folder.version,
        description=described.manifest.description,
        signatures=described.signatures,
        signature="predict",
        contract=described.contract,
        binding=binding,
        limits=limits,
        graph=EchoGraph(),
        sample=binding.row_of(golden),
    )


@pytest.fixture(scope="session")
def kinds_folder(tmp_path_factory: pytest.TempPathFactory) -> VersionFolder:
    """A version folder of `kinds` that holds a manifest only."""
    path: Path = tmp_path_factory.mktemp("models") / "kinds" / "1"
    path.mkdir(parents=True)
    (path / "model.yaml").write_text(MANIFEST)
    return VersionFolder("kinds", 1, path)


class Service:
    """A container with versions 1 and 2 of `kinds`, and requests to it without HTTP."""

    def __init__(self, folder: VersionFolder) -> None:
        self.manager = ModelManager(load_kinds, {"kinds": {"stable": 1}})
        self.contracts = Contracts(self.manager, LocalEngine())
        self.manager.load_all([folder, replace(folder, version=2)], self.contracts.admit)

    def endpoint(self, model: str = "kinds", soap: SoapVersion = SoapVersion.SOAP11) -> SoapEndpoint:
        found = self.contracts.find(soap, model, 1)
        assert found is not None
        return found

    def post(
        self,
        content: bytes,
        model: str = "kinds",
        soap: SoapVersion = SoapVersion.SOAP11,
        *,
        charset: str | None = None,
        action: str = "",
        media_type: str | None = None,
    ) -> Reply:
        sent_as = ContentType(media_type or soap.mime_type, charset, action)
        return self.endpoint(model, soap).answer(content, sent_as, Call("test-request"))


@pytest.fixture(scope="session")
def service(kinds_folder: VersionFolder) -> Service:
    """A service with two versions of `kinds` loaded; no test changes it."""
    return Service(kinds_folder)


def envelope(body: str, soap: SoapVersion = SoapVersion.SOAP11, header: str = "") -> bytes:
    """Return a message with the prefix `s` bound to the envelope's namespace."""
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{soap.envelope}">{head}<s:Body>{body}</s:Body></s:Envelope>'.encode()
