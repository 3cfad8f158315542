"""The command `predict MODEL_DIR|URL --input FILE`: its options, what it prints and what it writes.

Imports TensorFlow and zeep only when they are needed, so that `--help` stays fast.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from soapsvc.authoring.new_file import new_file
from soapsvc.authoring.source import SourceError
from soapsvc.predict.instances import FORMATS, STDIN, Instance, read_instances, text_instances
from soapsvc.predict.output import FORMATS as WRITERS
from soapsvc.predict.run import Prediction, predict_all
from soapsvc.predict.service import Form, Refused, Service
from soapsvc.predict.values import Cell

DEFAULT_BATCH = 32
PASSWORD = "SOAPSVC_PASSWORD"  # noqa: S105  # the name of a variable
_SHOWN_AFTER_S = 1.0


def add_predict_parser(commands: Any) -> None:
    """Add the sub-command `predict`; its `run` takes the options, returns 0 or 1 and raises SourceError."""
    parser = commands.add_parser(
        "predict",
        help="ask a model folder, or a running service, for its answers",
        description="Predict for files of instances: with a model folder as the service would, or with the service.",
    )
    parser.add_argument("model", metavar="MODEL", help="as models/iris/1, or as http://host:8080/soap/iris/v1")
    _add_input(parser)
    _add_output(parser)
    _add_service(parser)
    parser.set_defaults(run=run_predict)


def _add_input(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("input")
    group.add_argument(
        "--input", type=Path, metavar="FILE", nargs="+", action="extend", default=[],
        help="JSON, JSON lines, CSV, .npz, pictures, .txt, a folder of pictures, or - for standard input",
    )  # fmt: skip
    group.add_argument("--input-text", metavar="TEXT", action="append", default=[], help="one text as an instance")
    group.add_argument("--format", choices=FORMATS, help="what the input is, whatever its suffix")
    group.add_argument(
        "--set", type=_pair, metavar="NAME=VALUE", action="append", default=[],
        help="a field of every instance that has none of its own",
    )  # fmt: skip


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    shown = group.add_mutually_exclusive_group()
    for name, text in (("json", "JSON"), ("jsonl", "JSON lines"), ("csv", "CSV")):
        shown.add_argument(f"--{name}", dest="shown", action="store_const", const=name, help=f"print {text}")
    group.add_argument("--output", type=Path, metavar="FILE", help="write to a .json, .jsonl or .csv file")
    group.add_argument("--force", action="store_true", help="replace the output file if it exists")
    group.add_argument("--keep-going", action="store_true", help="report instances that fail and go on; exit code 1")
    group.add_argument(
        "--batch", type=_positive, metavar="N", help=f"instances a call; at most {DEFAULT_BATCH} if left out"
    )


def _add_service(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model folder")
    group.add_argument(
        "--op-library", metavar="MODULE", action="append", default=[], help="a module that requires_ops may name"
    )
    group.add_argument(
        "--pipeline-code", metavar="MODEL", action="append", default=[], help="a pipeline whose folder may hold Python"
    )
    group = parser.add_argument_group("URL")
    group.add_argument("--timeout", type=_seconds, default=60.0, metavar="S", help="seconds to wait for an answer (60)")
    group.add_argument("--ca", type=Path, metavar="FILE", help="certificates to trust, in PEM")
    group.add_argument("--user", metavar="NAME", help=f"for HTTP Basic; the password is asked for, or in {PASSWORD}")


def _pair(text: str) -> tuple[str, Cell]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, received {text}")
    return name, Cell(value)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, received {text}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"expected seconds above 0, received {text}")
    return seconds


def run_predict(options: argparse.Namespace) -> int:
    """Print or write the predictions; return 1 when one failed, else 0. Raises SourceError, LoadError."""
    shown = _format(options)
    if not options.input and not options.input_text:
        raise SourceError("nothing to predict; give --input FILE or --input-text TEXT")
    for path in options.input:
        if path != STDIN and not path.exists():
            raise SourceError(f"--input: there is no {path}")
    try:
        service = _service(options)
        batch = min(options.batch or DEFAULT_BATCH, service.form.max_batch)
        instances = list(_instances(options, service.form))
        with _progress(len(instances)) as done:
            predictions = list(predict_all(service, instances, batch, options.keep_going, done))
    except Refused as err:
        raise SourceError(f"{options.model}: {err}") from err
    _deliver(WRITERS[shown](predictions), options.output)
    return _report(predictions)


def _format(options: argparse.Namespace) -> str:
    """Return the format to write; a file's goes by its suffix. Raises SourceError."""
    path: Path | None = options.output
    if path is None:
        return options.shown or ("table" if sys.stdout.isatty() else "json")
    if path.exists() and not options.force:
        raise SourceError(f"--output: {path} exists; choose another name, or replace it with --force")
    if not path.parent.is_dir():
        raise SourceError(f"--output: there is no folder {path.parent}")
    found = options.shown or path.suffix.lower().removeprefix(".")
    if found not in WRITERS or found == "table":
        raise SourceError(f"--output: {path}: expected a name that ends in .json, .jsonl or .csv")
    return str(found)


def _service(options: argparse.Namespace) -> Service:
    if not options.model.startswith(("http://", "https://")):
        from soapsvc.predict.local import LocalService

        return LocalService(Path(options.model), tuple(options.op_library), tuple(options.pipeline_code))
    try:
        from soapsvc.predict.remote import Access, RemoteService
    except ModuleNotFoundError as err:
        raise SourceError(f"a URL needs {err.name}; install it with: pip install 'soapsvc[client]'") from err

    user = None
    if options.user:
        password = os.environ.get(PASSWORD)
        user = (options.user, getpass.getpass(f"Password of {options.user}: ") if password is None else password)
    if options.ca is not None and not options.ca.is_file():
        raise SourceError(f"--ca: there is no {options.ca}; expected a file of certificates in PEM")
    return RemoteService(options.model, Access(options.timeout, options.ca, user))


def _instances(options: argparse.Namespace, form: Form) -> Iterator[Instance]:
    further = dict(options.set)
    read = read_instances(options.input, options.format, form)
    for instance in chain(read, text_instances(options.input_text, form)):
        yield replace(instance, values=further | dict(instance.values))


def _deliver(text: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.write(text)
        return
    with new_file(path) as fresh:
        fresh.write_text(text, encoding="utf-8", newline="")


def _report(predictions: Sequence[Prediction]) -> int:
    failed = [each for each in predictions if each.error]
    for each in failed:
        sys.stderr.write(f"{each.where}: {each.error}\n")
    return 1 if failed else 0


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Lend what counts instances: a bar on a terminal once it took a second, else nothing."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    import time

    from rich.console import Console
    from rich.progress import Progress

    started = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("predicting", total=total, visible=False)
        yield lambda count: progress.update(task, advance=count, visible=time.monotonic() - started > _SHOWN_AFTER_S)
