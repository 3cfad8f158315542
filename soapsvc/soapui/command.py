"""The command `soapui MODEL`: its options, the model it loads, and the file it writes.

Imports TensorFlow only when it runs, so that `--help` stays fast.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from soapsvc.authoring.new_file import new_file
from soapsvc.authoring.source import SourceError
from soapsvc.model.source import find_versions
from soapsvc.soap.contracts import lone_endpoint
from soapsvc.soap.ns import SoapVersion
from soapsvc.soapui.cases import cases
from soapsvc.soapui.project import project


def add_soapui_parser(commands: Any) -> None:
    """Add the sub-command `soapui`; its `run` takes the options, returns 0 and raises SourceError or LoadError."""
    parser = commands.add_parser(
        "soapui",
        help="write a SoapUI project of a model: requests, assertions, a load test",
        description="Write a SoapUI project: working requests, and tests on what the model's first version answers.",
    )
    parser.add_argument("model", metavar="MODEL", help="a model's name, as iris")
    parser.add_argument("--url", default="http://localhost:8080", help="where clients reach the server")
    parser.add_argument("--models", type=Path, metavar="DIR", default=Path("models"), help="the models folder")
    parser.add_argument("--soap12", action="store_true", help="speak SOAP 1.2")
    parser.add_argument("--to", type=Path, metavar="FILE", help="where to write; standard output without it")
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    parser.add_argument("--op-library", action="append", default=[], help="a module that requires_ops may name")
    parser.add_argument("--pipeline-code", action="append", default=[], help="a pipeline whose folder may hold Python")
    parser.set_defaults(run=run_soapui)


def run_soapui(options: argparse.Namespace) -> int:
    """Write the project. Raises SourceError: no such model, or the file exists; LoadError: the model doesn't load."""
    if options.to is not None and options.to.exists() and not options.force:
        raise SourceError(f"{options.to} exists; give another name, or replace it with --force")
    folders = find_versions(options.models)
    chosen = next((folder for folder in folders if folder.name == options.model), None)
    if chosen is None:
        known = ", ".join(sorted({folder.name for folder in folders})) or "none"
        raise SourceError(f"no model named {options.model} in {options.models}; there are {known}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notes are no news to an author
    from soapsvc.model.loader import load  # imports TensorFlow: not before it is needed

    servable = load(chosen, tuple(options.op_library), tuple(options.pipeline_code))
    endpoint = lone_endpoint(chosen, servable, SoapVersion.SOAP12 if options.soap12 else SoapVersion.SOAP11)
    written = project(endpoint, options.url.rstrip("/"), cases(endpoint, servable))
    if options.to is None:
        sys.stdout.buffer.write(written)
        return 0
    with new_file(options.to) as fresh:
        fresh.write_bytes(written)
    return 0
