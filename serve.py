"""Serve the models of a folder as SOAP services, without installing anything: `soapsvc serve` from a checkout."""

from __future__ import annotations

import sys

from soapsvc.transport.serve_command import serve

if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:], "serve.py"))
