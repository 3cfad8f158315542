"""Functions that steps of pipelines run: pure, numpy in and numpy out, each with the types that it takes and gives.

`function` makes one of plain Python, here and in the folder of a pipeline; `find` looks the library up.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from soapsvc.errors import LoadError
from soapsvc.model.value_types import Declared, declared

MODULES = ("boxes", "pictures", "rows")  # of the library


@dataclass(frozen=True)
class Function:
    """A function that a step can run: `run(*inputs, **arguments)` gives an output, or a tuple of all.

    A list of arrays comes as `soapsvc.model.value_types.Items`; it may be answered as any sequence of arrays.
    arguments: what a manifest gives under `with`: name -> what checks it.  needed: those without a default.
    """

    name: str
    run: Callable[..., Any]
    inputs: Mapping[str, Declared]
    outputs: Mapping[str, Declared]
    arguments: Mapping[str, TypeAdapter[Any]]
    needed: frozenset[str]
    defaults: Mapping[str, Any]

    def check_arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a manifest with the defaults of the rest. Raises LoadError."""
        for name in given.keys() - self.arguments.keys():
            known = ", ".join(self.arguments) or "none"
            raise LoadError(f"with.{name}: {self.name} has no such argument; it has {known}")
        for name in sorted(self.needed - given.keys()):
            raise LoadError(f"with.{name}: {self.name} needs it")
        checked = dict(self.defaults)
        for name, value in given.items():
            try:
                checked[name] = self.arguments[name].validate_python(value)
            except ValidationError as err:
                problem = err.errors()[0]
                raise LoadError(f"with.{name}: {problem['msg']} (received {problem['input']!r:.80})") from err
        return checked


def function(inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Callable[[Callable[..., Any]], Function]:
    """Return the decorator that makes a Function.

    inputs: the positional parameters, in their order, with the types of `soapsvc.model.value_types`; outputs likewise
    what is returned. Keyword-only parameters are arguments; their annotations check what a manifest gives.
    Raises ValueError where these don't go together.
    """

    def made(run: Callable[..., Any]) -> Function:
        parameters = inspect.signature(run).parameters.values()
        arguments = {each.name: each for each in parameters if each.kind is each.KEYWORD_ONLY}
        positional = [each.name for each in parameters if each.name not in arguments]
        if positional != list(inputs) or not outputs:
            raise ValueError(f"{run.__name__}: takes {positional}, declared are {list(inputs)} and {list(outputs)}")
        hints = get_type_hints(run)
        defaults = {name: each.default for name, each in arguments.items() if each.default is not each.empty}
        return Function(
            run.__name__, run,
            {name: declared(text) for name, text in inputs.items()},
            {name: declared(text) for name, text in outputs.items()},
            {name: TypeAdapter(hints.get(name, Any)) for name in arguments},
            frozenset(arguments.keys() - defaults.keys()), defaults,
        )  # fmt: skip

    return made


def find(name: str) -> Function:
    """Return a function of the library. Raises LoadError."""
    known = library()
    if name not in known:
        raise LoadError(f"function: {name} is not in the library; it has {', '.join(sorted(known))}")
    return known[name]


def library() -> dict[str, Function]:
    """Return all functions of the library, by name."""
    found: dict[str, Function] = {}
    for module in MODULES:
        members = vars(import_module(f"{__name__}.{module}"))
        found |= {each.name: each for each in members.values() if isinstance(each, Function)}
    return found
