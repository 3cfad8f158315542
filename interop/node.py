"""The package `soap` of npm."""

from __future__ import annotations

import json
import shutil

from interop.client import PROGRAMS, Built, Cell, Client, Verdict, Workplace
from interop.tools import need, run

_NODE = PROGRAMS / "node"
_READ = """
const soap = require('soap'), fs = require('fs'), folder = process.argv[1];
Promise.all(fs.readdirSync(folder).map((name) => soap.createClientAsync(`${folder}/${name}`)))
  .catch((error) => { console.log(error.message); process.exit(1); });
"""


def build(place: Workplace) -> Built:
    """Install the package and read every WSDL; there is nothing to generate."""
    need(("node", "npm"), ("nodejs", "npm"))
    wanted = (_NODE / "package.json").read_text()
    installed = place.folder / "node_modules" / "soap" / "package.json"
    kept = place.folder / "package.json"
    if not (installed.is_file() and kept.read_text() == wanted):
        shutil.copy(_NODE / "package.json", kept)
        run(["npm", "install", "--silent", "--no-audit", "--no-fund"], place.folder, timeout_s=300)
    shutil.copy(_NODE / "node.js", place.folder)
    run(["node", "-e", _READ, place.wsdls], place.folder)
    version = json.loads(installed.read_text())["version"]
    node = run(["node", "--version"], place.folder).strip()
    return Built(f"soap {version}, node {node}", ["node", place.folder / "node.js"], {"wsdl": Cell(Verdict.YES)})


_MTOM = "soap for node attaches files, but none stands for a base64Binary element"
CLIENT = Client(
    "node", "node soap", build,
    lacks=dict.fromkeys(("mtom-in", "mtom-100", "mtom-100k", "mtom-20m"), _MTOM)
    | {"addressing": "headers by hand only"},
    fails={
        "nan": (
            "+ 'NaN'\n- '-Infinity'",
            "answers are read by parseFloat, so INF and -INF become NaN; and INF is sent right only as text",
        ),
        "gzip-in": ("timeout", "forceGzip leaves Content-Length as it was, and the server waits for the rest"),
    },
)  # fmt: skip
