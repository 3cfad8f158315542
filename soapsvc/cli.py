"""The command line: `soapsvc COMMAND`. Each command prints its result or one clear error."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from soapsvc.authoring.accelerate_command import add_accelerate_parser
from soapsvc.authoring.freeze_command import add_freeze_parser
from soapsvc.authoring.inspect_command import add_inspect_parser
from soapsvc.authoring.source import SourceError
from soapsvc.completion import add_completion_parser
from soapsvc.errors import LoadError
from soapsvc.model.description import describe
from soapsvc.model.labels_file import write_label
from soapsvc.model.servable import TENSORFLOW
from soapsvc.model.source import find_versions, version_folder
from soapsvc.predict.command import add_predict_parser
from soapsvc.settings import add_setting_arguments
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.compare import broken_promises
from soapsvc.soap.contracts import unserved_contracts
from soapsvc.soap.inference import NAMES
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.wsdl import read_wsdl
from soapsvc.soapui.command import add_soapui_parser
from soapsvc.starter.command import add_init_parser
from soapsvc.transport.reload import add_reload_parser
from soapsvc.transport.serve_command import SERVE, SERVE_SUMMARY, serve
from soapsvc.transport.status import add_status_parser
from soapsvc.tuning.command import add_tune_parser


class CommandError(Exception):
    """A command can't do what was asked; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the answer is no, 2 wrong arguments, 130 interrupted."""
    given, program = sys.argv[1:] if arguments is None else arguments, _program()
    if given[:1] == [SERVE]:  # it reads its arguments itself: they are the settings
        return serve(given[1:], f"{program} {SERVE}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notes are no news to an author,
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # nor are warnings about its own calls that freeze makes
    options = command_parser(program).parse_args(given)
    try:
        code: int = options.run(options)
    except (CommandError, LoadError, SourceError) as err:
        print(f"soapsvc: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("soapsvc: interrupted; nothing was written", file=sys.stderr)
        return 130
    return code


def _program() -> str:
    """Return what the command was called as."""
    return "python -m soapsvc" if Path(sys.argv[0]).name == "__main__.py" else "soapsvc"


def command_parser(program: str) -> argparse.ArgumentParser:
    """Return the parser of every command; `docs/command-line.md` is made from it."""
    parser = argparse.ArgumentParser(prog=program, description="Serve trained models as typed SOAP services.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_init_parser(commands)
    add_setting_arguments(commands.add_parser(SERVE, help=SERVE_SUMMARY, allow_abbrev=False))
    add_inspect_parser(commands)
    add_freeze_parser(commands)
    add_accelerate_parser(commands)
    add_tune_parser(commands)
    add_predict_parser(commands)
    add_soapui_parser(commands)
    wsdl = commands.add_parser("wsdl", help="print the WSDL of a model")
    wsdl.add_argument("model", help=f"a model's name, or {NAMES.model} for the generic service")
    wsdl.add_argument("--soap12", action="store_true", help="the SOAP 1.2 document")
    wsdl.add_argument("--public-url", default="http://localhost:8080", help="where clients reach the server")
    wsdl.add_argument("--models", type=Path, default=Path("models"), help="the models folder")
    wsdl.set_defaults(run=_wsdl)
    add_status_parser(commands)
    add_reload_parser(commands)
    label = commands.add_parser("label", help="move a label, as stable, to another version; a running server follows")
    label.add_argument("model", help="a model's name")
    label.add_argument("label", help="as stable; new or there already")
    label.add_argument("version", type=int, help="a number")
    label.add_argument("--models", type=Path, default=Path("models"), help="the models folder")
    label.set_defaults(run=_label)
    check = commands.add_parser("check", help="tell whether a model folder would load, and keeps a contract")
    check.add_argument("folder", type=Path, metavar="MODEL_DIR", help="as models/iris/1")
    check.add_argument("--against", type=Path, metavar="WSDL", help="the published contract it has to keep")
    check.add_argument("--pipeline-code", action="append", default=[], help="a pipeline whose folder may hold Python")
    check.add_argument("--op-library", action="append", default=[], help="a module that requires_ops may name")
    check.set_defaults(run=_check)
    add_completion_parser(commands, partial(command_parser, "soapsvc"))
    return parser


def _wsdl(options: argparse.Namespace) -> int:
    soap = SoapVersion.SOAP12 if options.soap12 else SoapVersion.SOAP11
    endpoint = _endpoint(options.models, options.model, soap)
    address = options.public_url.rstrip("/") + endpoint.names.path(soap)
    sys.stdout.buffer.write(endpoint.wsdl_at(address))
    return 0


def _endpoint(models: Path, model: str, soap: SoapVersion) -> SoapEndpoint:
    """Return the endpoint of a model's first version, which publishes its contract."""
    contracts = unserved_contracts()
    if model == NAMES.model:
        endpoint = contracts.find(soap, NAMES.model, NAMES.version)
        assert endpoint is not None
        return endpoint
    folders = find_versions(models)
    for folder in folders:
        if folder.name == model:
            return contracts.endpoint_of(describe(folder).contract, soap)
    known = ", ".join(sorted({folder.name for folder in folders} | {NAMES.model}))
    raise CommandError(f"no model named {model} in {models}; there are {known}")


def _label(options: argparse.Namespace) -> int:
    before = write_label(options.models, options.model, options.label, options.version)
    was = "new" if before is None else f"was version {before}"
    print(f"{options.model} label {options.label}: version {options.version} ({was})")
    return 0


def _check(options: argparse.Namespace) -> int:
    from soapsvc.model.loader import load  # imports TensorFlow: not before it is needed

    folder = version_folder(options.folder)
    servable = load(folder, tuple(options.op_library), tuple(options.pipeline_code))
    print(f"{servable.name} version {servable.version} loads and gives its golden answers")
    if servable.runner != TENSORFLOW:
        print(f"it runs on {servable.runner}")
    if options.against is None:
        return 0
    offered = unserved_contracts().endpoint_of(servable.contract, SoapVersion.SOAP11).wsdl
    differences = broken_promises(read_wsdl(options.against), offered)
    for difference in differences:
        print(f"breaks {options.against}: {difference}")
    if not differences:
        print(f"keeps {options.against}")
    return 1 if differences else 0
