"""The assertions of SoapUI that a project uses, as its source code reads them. Knows no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Assertion:
    """One assertion. type: SoapUI's id; configuration: names and texts of its settings, in SoapUI's order."""

    type: str
    name: str
    configuration: Sequence[tuple[str, str]] = ()


SCHEMA_COMPLIANCE = Assertion("Schema Compliance", "Schema Compliance")
# SoapUI's ids of these two say the opposite of what they check (NotSoapFaultAssertion, SoapFaultAssertion).
NOT_SOAP_FAULT = Assertion("SOAP Fault Assertion", "Not SOAP Fault")
SOAP_FAULT = Assertion("Not SOAP Fault Assertion", "SOAP Fault")


def http_status(code: int) -> Assertion:
    """Return an assertion on the HTTP status."""
    return Assertion("Valid HTTP Status Codes", f"HTTP Status {code}", [("codes", str(code))])


def contains(token: str) -> Assertion:
    """Return an assertion that the answer has a text in it somewhere."""
    return Assertion("Simple Contains", f"Contains {token}", [("token", token), ("ignoreCase", "false")])


def xpath_match(namespace: str, path: str, content: str) -> Assertion:
    """Return an assertion that an XPath gives a text. path: with the prefix m for namespace."""
    return Assertion(
        "XPath Match",
        f"XPath {path}",
        [
            ("path", f"declare namespace m='{namespace}';\n{path}"),
            ("content", content),
            ("allowWildcards", "false"),
            ("ignoreNamspaceDifferences", "false"),  # the name is SoapUI's own
            ("ignoreComments", "true"),
        ],
    )
