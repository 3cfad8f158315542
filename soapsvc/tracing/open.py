"""Whether spans are made, by the setting `tracing`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from soapsvc.tracing import Tracing, Untraced

_NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")


def check_tracing(kind: Literal["off", "otlp"]) -> None:
    """Raise ValueError where spans are wanted and what makes them is not installed."""
    try:
        missing = kind == "otlp" and not all(find_spec(name) for name in _NEEDED)
    except ModuleNotFoundError:  # not even the package that holds it
        missing = True
    if missing:
        raise ValueError("otlp needs packages that are not installed: pip install 'soapsvc[tracing]'")


def open_tracing(kind: Literal["off", "otlp"], endpoint: str, sample_ratio: float, worker: int | None) -> Tracing:
    """Return what traces calls; see `soapsvc.tracing.spans.spans_to`."""
    if kind == "off":
        return Untraced()
    from soapsvc.tracing.spans import spans_to  # it is an extra

    return spans_to(endpoint, sample_ratio, worker)
