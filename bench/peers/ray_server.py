"""Ray Serve's HTTP proxy with the iris graph behind it: `python -m bench.peers.ray_server`. One replica.

Needs the environment that `bench.peers.venvs` makes.
"""

from __future__ import annotations

import signal
import socket
import sys
from types import FrameType
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from bench.iris import REPOSITORY


@serve.deployment(max_ongoing_requests=64)
class Iris:
    """Reads the same JSON as MLServer and answers labels and scores."""

    def __init__(self) -> None:
        from bench.predict import make_predictor

        self._predict, _ = make_predictor()

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Answer one row."""
        row = (await request.json())["inputs"][0]["data"]
        labels, scores = zip(*self._predict(row), strict=True)
        return {"labels": labels, "scores": scores}


def _stop(signum: int, frame: FrameType | None) -> None:
    serve.shutdown()
    ray.shutdown()
    sys.exit(0)


def main() -> None:
    """Serve until stopped."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(REPOSITORY)}},
    )
    serve.start(http_options={"host": "127.0.0.1", "port": port, "request_timeout_s": 30})
    serve.run(Iris.bind(), name="iris", route_prefix="/")
    signal.signal(signal.SIGTERM, _stop)
    print(f"ready: http://127.0.0.1:{port}/", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
