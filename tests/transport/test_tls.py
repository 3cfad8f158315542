"""TLS and client certificates, on Granian."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import requests

from soapsvc.settings import Settings
from soapsvc.transport.servers import check_server
from soapsvc.transport.start import StartError
from tests.conftest import ROOT, serving
from tests.transport.test_overload import HEADERS, IRIS


@pytest.fixture(scope="module")
def iris_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("tls") / "models"
    shutil.copytree(ROOT / "models/iris", models / "iris")
    return models


def tls(pem: Path) -> tuple[str, ...]:
    return "--server", "granian", "--tls-certificate", str(pem / "server.pem"), "--tls-key", str(pem / "server.key")


def test_tls_is_served_under_https_addresses(iris_only: Path, pem: Path, tmp_path: Path) -> None:
    with serving(iris_only, tmp_path / "server.log", *tls(pem), "--workers", "2") as server:
        assert server.url.startswith("https://localhost:")
        service = f"{server.url}/soap/iris/v1"
        wsdl = requests.get(f"{service}?wsdl", verify=pem / "ca.pem", timeout=60)
        assert f'location="{service}"' in wsdl.text
        answered = requests.post(service, IRIS, headers=HEADERS, verify=pem / "ca.pem", timeout=60)
        assert "setosa" in answered.text
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url.replace("https", "http"), timeout=60)


def test_client_certificate_is_asked_for(iris_only: Path, pem: Path, tmp_path: Path) -> None:
    arguments = (*tls(pem), "--tls-client-ca", str(pem / "ca.pem"))
    with serving(iris_only, tmp_path / "server.log", *arguments) as server:

        def ready(certificate: str | None) -> int:
            own = None if certificate is None else str(pem / certificate)
            return requests.get(f"{server.url}/health/ready", verify=pem / "ca.pem", cert=own, timeout=60).status_code

        assert ready("client.pem") == 200
        for refused in (None, "stranger.pem"):
            with pytest.raises(requests.ConnectionError):
                ready(refused)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"server": "waitress", "tls_certificate": "server.pem"},
            "waitress has no TLS; choose --server granian",
        ),
        ({"tls_certificate": "server.pem"}, "tls_certificate: expected tls_key beside it"),
        ({"tls_client_ca": "ca.pem"}, "tls_client_ca: expected tls_key beside it"),
        ({"tls_certificate": "none.pem", "tls_key": "server.key"}, "tls_certificate: there is no file .*none.pem"),
        (
            {"tls_certificate": "server.pem", "tls_key": "client.pem"},
            "tls_certificate: .*server.pem: expected a cert",
        ),
        (
            {"tls_certificate": "server.pem", "tls_key": "server.key", "tls_client_ca": "server.key"},
            "tls_client_ca: .*server.key: expected certificates in PEM",
        ),
    ],
)
def test_tls_settings_that_can_not_work_are_named(pem: Path, given: dict[str, str], message: str) -> None:
    paths = {name: str(pem / value) if name.startswith("tls") else value for name, value in given.items()}
    with pytest.raises(StartError, match=message):
        check_server(Settings.model_validate({"server": "granian"} | paths))
