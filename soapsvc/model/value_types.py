"""Types of the values that go from step to step of a pipeline, and how functions declare theirs.

A declaration is text: a dtype and dimensions, as `float32[n, 4]`. A dimension is a number, `any`, or a name: the same
size wherever it stands in one function, taken from an argument of this name where no input has it. `...` at the end is
any dimensions, the same in one function. In place of a dtype `number` is any but string and bool, and another word
any at all, each the same in one function. `list of` before it is a list of arrays that may differ in size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from soapsvc.model.dtypes import Array, DTypeName, name_of
from soapsvc.model.signature import TensorSpec, show_shape

_FORM = re.compile(r"(?P<many>list of )?(?P<dtype>[a-z][a-z0-9]*)\[(?P<dims>[a-z0-9_, ]*?)(?P<rest>(, )?\.\.\.)?\]")
_DTYPES = frozenset(get_args(DTypeName))
_NO_NUMBERS = ("string", "bool")
_NUMBER, _REST = "number", "..."
Names = dict[str, Any]  # what names mean in one use of a function: a dtype, a size (None for any) or the rest's sizes


class Misfit(Exception):
    """A value is not of the type that is declared; the message says both."""


@dataclass(frozen=True)
class ValueType:
    """What is known of a value. shape: None for any rank, None in it for any size.  many: a list of such arrays."""

    dtype: DTypeName
    shape: tuple[int | None, ...] | None
    many: bool = False

    def __str__(self) -> str:
        return f"{'list of ' if self.many else ''}{self.dtype} {show_shape(self.shape)}"

    @property
    def one(self) -> ValueType:
        """The type of one item of the list."""
        return replace(self, many=False)


@dataclass(frozen=True)
class Items:
    """A value that is a list: arrays of one dtype and rank. type: what is known of each, even if there is none."""

    type: ValueType
    arrays: Sequence[Array]


Value = Array | Items


def type_of(value: Value) -> ValueType:
    """Return the type of a value that is there."""
    if isinstance(value, Items):
        return replace(value.type, many=True)
    return ValueType(cast(DTypeName, name_of(value.dtype)), value.shape)


def type_of_spec(spec: TensorSpec, shape: tuple[Any, ...] | None) -> ValueType:
    """Return the type of a tensor of a signature with this shape, the spec's own or that of one instance."""
    known = None if shape is None else tuple(dim if isinstance(dim, int) else None for dim in shape)
    return ValueType(spec.dtype, known)


def fits(wanted: ValueType, came: ValueType) -> bool:
    """Whether a value of one type may go where another is wanted; what is not known is left to the call."""
    if wanted.dtype != came.dtype or wanted.many != came.many:
        return False
    if wanted.shape is None or came.shape is None:
        return True
    return len(wanted.shape) == len(came.shape) and all(
        None in pair or pair[0] == pair[1] for pair in zip(wanted.shape, came.shape, strict=True)
    )


@dataclass(frozen=True)
class Declared:
    """A declaration of an input or an output of a function; see the module."""

    text: str
    dtype: str
    dims: tuple[int | str | None, ...]
    rest: bool
    many: bool

    def match(self, came: ValueType, names: Names) -> None:
        """Note in names what they mean for a value of this type. Raises Misfit."""
        if came.many != self.many or not self._takes(came.dtype, names):
            raise self._misfit(came, names)
        if came.shape is None:
            return
        fixed = came.shape[: len(self.dims)]
        if len(fixed) < len(self.dims) or (len(came.shape) > len(self.dims) and not self.rest):
            raise self._misfit(came, names)
        for dim, size in zip(self.dims, fixed, strict=True):
            known = names.get(dim) if isinstance(dim, str) else dim
            if known is not None and size is not None and known != size:
                raise self._misfit(came, names)
            if isinstance(dim, str) and not self.many:
                names[dim] = known if size is None else size
        if self.rest and names.setdefault(_REST, came.shape[len(fixed) :]) != came.shape[len(fixed) :]:
            raise self._misfit(came, names)

    def _takes(self, dtype: DTypeName, names: Names) -> bool:
        if self.dtype in _DTYPES:
            return self.dtype == dtype
        return names.setdefault(self.dtype, dtype) == dtype and not (self.dtype == _NUMBER and dtype in _NO_NUMBERS)

    def _misfit(self, came: ValueType, names: Names) -> Misfit:
        own = {self.dtype, *self.dims}
        known = ", ".join(
            f"{name} = {meaning}" for name, meaning in names.items() if name in own and meaning is not None
        )
        return Misfit(f"expected {self.text}{f' with {known}' if known else ''}, received {came}")

    def resolve(self, names: Mapping[str, Any]) -> ValueType:
        """Return the type that an output has where names mean this."""
        dims = tuple(names.get(dim) if isinstance(dim, str) else dim for dim in self.dims)
        sizes = tuple(dim if isinstance(dim, int) else None for dim in dims)
        dtype = cast(DTypeName, names.get(self.dtype, self.dtype))
        if not self.rest:
            return ValueType(dtype, sizes, self.many)
        rest = names.get(_REST)
        return ValueType(dtype, None if rest is None else (*sizes, *rest), self.many)


def declared(text: str) -> Declared:
    """Return what a declaration says. Raises ValueError at a text that is none."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a type as float32[n, 4] or list of number[height, width, ...], received {text!r}")
    parts = [part.strip() for part in found["dims"].split(",") if part.strip()]
    dims = tuple(int(part) if part.isdecimal() else None if part == "any" else part for part in parts)
    return Declared(text, found["dtype"], dims, bool(found["rest"]), bool(found["many"]))
