"""Which settings are tried on a model, and which of them its measured loads recommend. Knows no file and no process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from statistics import median
from typing import Any

from soapsvc.model.servable import Batching
from soapsvc.tuning.measure import Round

_GAIN = 1.1  # what a setting has to gain over the usual one: less is noise
_LOSS = 0.9  # what a lone caller may lose by batching
BATCHING = Batching(max_size=32, max_wait_us=500)


@dataclass(frozen=True)
class Setting:
    """One way to run a model: TensorFlow's threads, and whether calls are joined."""

    intra_op: int = 1
    inter_op: int = -1
    batching: Batching | None = None

    @property
    def keys(self) -> dict[str, Any]:
        """The keys of model.yaml that say so."""
        batching = None if self.batching is None else asdict(self.batching)
        return {"threads": {"intra_op": self.intra_op, "inter_op": self.inter_op}, "batching": batching}


def thread_settings(cores: int) -> list[Setting]:
    """Return the settings of threads to try, the usual one first."""
    return [Setting(intra_op, inter_op) for inter_op in (-1, cores) for intra_op in sorted({1, 2, cores})]


def best_threads(measured: Mapping[Setting, Sequence[Round]]) -> Setting:
    """Return the setting with most calls a second over all loads; the first of them unless another gains 10%."""
    usual = next(iter(measured))
    best = max(measured, key=lambda setting: _gain(measured[usual], measured[setting]))
    return best if _gain(measured[usual], measured[best]) >= _GAIN else usual


def batching_pays(without: Sequence[Round], joined: Sequence[Round]) -> bool:
    """Whether several callers gain 10% by joined runs, and a lone one loses no 10%."""
    several, lone = slice(1, None), slice(0, 1)
    return _gain(without, joined, several) >= _GAIN and _gain(without, joined, lone) >= _LOSS


def _gain(before: Sequence[Round], after: Sequence[Round], loads: slice = slice(None)) -> float:
    """Return how many times as many calls a second there are: of some loads the geometric mean, the median round."""
    gains = []
    for old, new in zip(before, after, strict=True):  # measured in turn, so a neighbour's load met both
        ratios = [now.calls_per_s / then.calls_per_s for then, now in zip(old[loads], new[loads], strict=True)]
        gains.append(float(prod(ratios) ** (1 / len(ratios))))
    return median(gains)
