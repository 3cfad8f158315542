"""What can go wrong, in the terms of a caller or of a model's author.

Owns ServingError and its kinds (a call that failed) and LoadError (a model version that can't serve).
Knows no SOAP and no HTTP: one table in `soapsvc.soap.faults` gives each ServingError its fault.
"""

from __future__ import annotations


class ServingError(Exception):
    """A call could not be answered; the message is fit to be read by the caller.

    code: stable, machine-readable, lower-case with dashes (listed in docs/faults.md).
    """

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


class InvalidInput(ServingError):
    """A value breaks the contract or the signature; the caller must change it before trying again.

    field: where, in the contract's own names, as `petalLength` or `instances[3].petalLength`.
    expected, received: what would have been right and what came, each short enough for a log line.
    """

    def __init__(self, code: str, field: str, expected: str, received: str) -> None:
        self.field, self.expected, self.received = field, expected, received
        super().__init__(code, f"{field}: expected {expected}, received {received}")

    def renamed(self, field: str) -> InvalidInput:
        """Return the same error with another name for its field."""
        return self._again(field, self.received)

    def inside(self, parent: str) -> InvalidInput:
        """Return the same error with its field named from further out: `instances[3]` + `.petalLength`."""
        return self.renamed(f"{parent}.{self.field}")

    def with_received(self, received: str) -> InvalidInput:
        """Return the same error with other words for what came."""
        return self._again(self.field, received)

    def _again(self, field: str, received: str) -> InvalidInput:
        return InvalidInput(self.code, field, self.expected, received)


class ModelNotFound(ServingError):
    """No loaded version answers to this name, version or label."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


class Overloaded(ServingError):
    """The model has more calls than it can take; the same call may succeed later."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("queue-full", message)


class DeadlineExceeded(ServingError):
    """The answer was not ready in time."""

    def __init__(self, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        super().__init__("deadline-exceeded", f"no answer within {deadline_s:g} s")


class Unavailable(ServingError):
    """The model exists but can't answer now: it is loading, unloading, or its last load failed."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("unavailable", message)


class AuthenticationFailed(ServingError):
    """The caller's credentials are missing or wrong; the message never says which."""

    def __init__(self) -> None:
        super().__init__("authentication-failed", "the credentials are missing or not accepted")


class LoadError(Exception):
    """A model version can't serve. The message names the file, what is wrong and what is allowed."""
