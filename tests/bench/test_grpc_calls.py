from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from bench import grpc_calls
from bench.iris import FLOWERS
from bench.load import run

PATH = "/inference.GRPCInferenceService/ModelInfer"


class Server(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers each flower's message with its species first, or fails."""

    def __init__(self, fails: bool) -> None:
        self._fails, self._species = fails, {each.request[5:]: each for each in grpc_calls.exchanges()}
        self.asked = 0

    def service(self, call: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(self._answer) if call.method == PATH else None

    def _answer(self, message: bytes, context: Any) -> bytes:
        self.asked += 1
        if self._fails:
            context.abort(grpc.StatusCode.INTERNAL, "no model")
        best = self._species[message].expected.removesuffix(" first").encode()
        return b" ".join([best, *(flower.species for flower in FLOWERS)])


@pytest.fixture
def serving(request: pytest.FixtureRequest) -> Iterator[tuple[Server, int]]:
    handler = Server(request.param)
    server = grpc.server(ThreadPoolExecutor(4), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield handler, port
    server.stop(None).wait()


@pytest.mark.parametrize("serving", [False], indirect=True)
def test_calls_are_what_a_grpc_server_reads_and_answers(serving: tuple[Server, int]) -> None:
    handler, port = serving
    load = run(port, grpc_calls.exchanges(), 0.3, 3, grpc=True)
    assert (load.errors, load.first_error) == (0, "")
    assert load.calls == handler.asked > 30


@pytest.mark.parametrize("serving", [True], indirect=True)
def test_a_call_that_fails_counts_as_wrong(serving: tuple[Server, int]) -> None:
    _, port = serving
    load = run(port, grpc_calls.exchanges(), 0.1, 1, grpc=True)
    assert load.calls == 0
    assert load.errors > 0
    assert load.first_error.endswith(" first in b''")


def test_a_request_is_a_message_of_the_open_inference_protocol() -> None:
    """Shape [1, 4], FP32 and the row, at the numbers that its .proto gives them."""
    message = grpc_calls.exchanges()[0].request[5:]
    assert message.startswith(b"\x0a\x04iris\x2a")
    assert b"\x0a\x08features\x12\x04FP32\x1a\x02\x01\x04\x2a\x12\x32\x10" in message
