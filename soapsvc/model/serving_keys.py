"""The manifest's keys on how a graph is read, proven and run: `graph`, `warmup`, `limits`, `threads` and the like."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from soapsvc.model.keys import Entry, FileName
from soapsvc.model.signature import Limits

DimName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class GraphFile(Entry):
    """The frozen GraphDef; its sha256 is checked at load when it is given."""

    file: FileName = "model.pb"
    """The frozen GraphDef, in this folder."""
    sha256: Sha256 | None = None
    """Compared with the file's at load, if given."""


class RunnerEntry(Entry):
    """A converted form of the graph that runs in its place; `python -m soapsvc accelerate` writes it."""

    kind: Literal["onnx"]
    """What runs it: onnxruntime."""
    file: FileName = "model.onnx"
    """The converted graph, in this folder; `python -m soapsvc accelerate` writes it."""
    sha256: Sha256
    """Compared with the file's at load."""


class WarmupEntry(Entry):
    """Golden inputs and outputs, replayed before the version goes live; answers must agree this closely."""

    file: FileName = "warmup.jsonl"
    """The golden calls."""
    rtol: Annotated[float, Field(ge=0)] = 1e-3
    """Tolerance relative to the golden value."""
    atol: Annotated[float, Field(ge=0)] = 1e-5
    """Absolute tolerance, added to it."""


class LimitsEntry(Entry):
    """The most that one call may bring, and that the model takes at once; see `soapsvc.model.signature.Limits`."""

    max_batch: Annotated[int, Field(ge=1)] = Limits.max_batch
    """Instances in one call; also the size of the dimension `batch`."""
    max_elements: Annotated[int, Field(ge=1)] = Limits.max_elements
    """Values in one input tensor, all instances together."""
    max_text_bytes: Annotated[int, Field(ge=1)] = Limits.max_text_bytes
    """Length of one string in UTF-8."""
    max_image_pixels: Annotated[int, Field(ge=1)] = Limits.max_image_pixels
    """Width times height of one picture as it came."""
    dims: dict[DimName, Annotated[int, Field(ge=1)]] = Field({})
    """The most that a named dimension may measure, as `{time: 500}`."""
    max_concurrent_calls: Annotated[int, Field(ge=1)] | None = None
    """Calls of this model that run at the same time. Without it: three quarters of the server's `threads`."""
    max_waiting_calls: Annotated[int, Field(ge=0)] = Limits.max_waiting_calls
    """Calls that wait for their turn; one more is answered with Overloaded at once."""
    deadline_s: Annotated[float, Field(gt=0)] | None = None
    """How long a call may take from its first byte on; then it is answered with DeadlineExceeded. A caller may
    ask for less with the header `X-Deadline-Ms`."""


class ThreadsEntry(Entry):
    """TensorFlow's threads: by default each op runs in the caller's thread, the fastest for most graphs."""

    intra_op: Annotated[int, Field(ge=0, le=256)] = 1
    """Threads within one op; 0 lets TensorFlow decide."""
    inter_op: Annotated[int, Field(ge=-1, le=256)] = -1
    """Threads for ops side by side; -1 runs them in the caller's thread, 0 lets TensorFlow decide."""


class BatchingEntry(Entry):
    """Joins calls that come at the same time into one run; see `soapsvc.model.servable.Batching`."""

    max_size: Annotated[int, Field(ge=2)] = 32
    """Instances in one joined run, at most `limits.max_batch`. A call of as many or more runs by itself."""
    max_wait_us: Annotated[int, Field(ge=0, le=1_000_000)] = 500
    """How long a call waits for others, in microseconds."""
