"""Debian's nginx with the configuration of deploy/nginx, on ports of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.conftest import ROOT

_SHIPPED = ROOT / "deploy/nginx"
_MAIN = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
user root;  # the temporary folder of the tests is theirs alone
events {{ }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/conf.d/*.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx. url: without a slash at its end; folder: holds its logs; pem: the certificates."""

    url: str
    folder: Path
    pem: Path

    def session(self, certificate: str | None = "client.pem") -> requests.Session:
        """Return a client that shows a certificate."""
        session = requests.Session()
        session.trust_env = False  # REQUESTS_CA_BUNDLE would win over verify
        session.verify = str(self.pem / "ca.pem")
        session.cert = None if certificate is None else str(self.pem / certificate)
        return session


@contextmanager
def nginx(folder: Path, pem: Path, upstream_port: int) -> Iterator[Nginx]:
    """Run nginx in front of a port until the block ends, with no more changed than what the files say is to change."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.fail("no nginx; install it: apt-get install nginx-light")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "conf.d").mkdir(parents=True)
    upstream = (_SHIPPED / "upstream.conf").read_text()
    _write(folder / "conf.d/upstream.conf", upstream, {"127.0.0.1:8080": f"127.0.0.1:{upstream_port}"})
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen [::]:443 ssl;": "",
        "models.example.com;": "localhost;",
        "/var/log/nginx/": f"{folder}/",
        "/etc/nginx/soapsvc/client-ca.pem": f"{pem}/ca.pem",
        "/etc/nginx/soapsvc/server.pem": f"{pem}/server.pem",
        "/etc/nginx/soapsvc/server.key": f"{pem}/server.key",
    }
    _write(folder / "conf.d/soapsvc.conf", (_SHIPPED / "soapsvc.conf").read_text(), changes)
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    command = [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    subprocess.run(command, check=True)  # it listens once this returns
    try:
        yield Nginx(f"https://localhost:{port}", folder, pem)
    finally:
        subprocess.run([*command, "-s", "stop"], check=True)


def _write(path: Path, text: str, changes: dict[str, str]) -> None:
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
