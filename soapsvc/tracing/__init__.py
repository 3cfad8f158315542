"""Tracing: the trace that a call belongs to (`context`), and the spans that tell a collector of it (`spans`).

Only `spans` needs OpenTelemetry, which is an extra.
"""
