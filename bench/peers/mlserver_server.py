"""MLServer with the iris graph as a custom runtime: `python -m bench.peers.mlserver_server --workers N`.

Needs the environment that `bench.peers.venvs` makes. 0 workers: the model runs in the process that speaks HTTP.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import FrameType

from bench.iris import REPOSITORY

START_TIMEOUT_S = 80.0


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--grpc", action="store_true", help="tell the port of gRPC, not that of REST")
    options = parser.parse_args()
    ports = _free_ports(3)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _write(Path(folder), options.workers, ports)
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        command = [Path(sys.executable).parent / "mlserver", "start", folder]
        process = subprocess.Popen(command, env=environment, stdout=sys.stderr)

        def stop(signum: int, frame: FrameType | None) -> None:
            process.terminate()

        signal.signal(signal.SIGTERM, stop)
        _await_model(process, ports[0])
        print(f"ready: http://127.0.0.1:{ports[options.grpc]}/", flush=True)
        process.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _write(folder: Path, workers: int, ports: list[int]) -> None:
    http, grpc, metrics = ports
    settings = {
        "host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics,
        "parallel_workers": workers, "debug": False, "metrics_dir": str(folder / "metrics"),
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    model = {"name": "iris", "implementation": "bench.peers.mlserver_runtime.IrisRuntime"}
    (folder / "model-settings.json").write_text(json.dumps(model))


def _await_model(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/models/iris/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise SystemExit(f"MLServer ended early, or was not ready within {START_TIMEOUT_S:g} s")


if __name__ == "__main__":
    main()
