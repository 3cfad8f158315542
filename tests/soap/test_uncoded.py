"""An operation whose types no codec knows: Spyne reads and writes it, behind the same guard."""

from __future__ import annotations

import datetime

import pytest
from spyne import Date, MethodContext, ServiceBase, rpc

from soapsvc.errors import InvalidInput
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.call import Call
from soapsvc.soap.disclosure import Disclosure
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.ns import ContractNames, SoapVersion
from tests.soap.conftest import envelope
from tests.soap.messages import find

NAMES = ContractNames("days", 1)


class Days(ServiceBase):
    @rpc(Date, _returns=Date)
    def next_day(ctx: MethodContext, day: datetime.date) -> datetime.date:  # noqa: N805  (Spyne passes a context)
        if day.year > 2100:
            raise InvalidInput("out-of-range", "day", "a year up to 2100", str(day.year))
        return day + datetime.timedelta(days=1)


@pytest.fixture(scope="module", params=list(SoapVersion))
def endpoint(request: pytest.FixtureRequest) -> SoapEndpoint:
    return SoapEndpoint(NAMES, Days, request.param, "Days.", Disclosure)


def ask(endpoint: SoapEndpoint, day: str) -> tuple[int, str | None]:
    body = f'<next_day xmlns="{NAMES.namespace}"><day>{day}</day></next_day>'
    sent_as = ContentType(endpoint.soap.mime_type)
    reply = endpoint.answer(envelope(body, endpoint.soap), sent_as, Call("test-request"))
    return reply.status, find(reply, "next_dayResult")


def test_spyne_reads_and_writes_it(endpoint: SoapEndpoint) -> None:
    for _ in range(2):
        assert ask(endpoint, "2026-12-31") == (200, "2027-01-01")


def test_its_errors_are_typed_faults(endpoint: SoapEndpoint) -> None:
    assert ask(endpoint, "2101-01-01") == (500, None)


def test_what_spyne_refuses_is_the_callers_fault(endpoint: SoapEndpoint) -> None:
    body = f'<next_day xmlns="{NAMES.namespace}"><day>someday</day></next_day>'
    reply = endpoint.answer(envelope(body, endpoint.soap), ContentType(endpoint.soap.mime_type), Call("test-request"))
    assert b"the parameters of next_day are not as the WSDL says" in reply.body


def test_the_guard_stands_before_it(endpoint: SoapEndpoint) -> None:
    body = f'<!DOCTYPE a><a xmlns="{NAMES.namespace}"/>'.encode()
    assert endpoint.answer(body, ContentType(endpoint.soap.mime_type), Call("test-request")).status in (400, 500)
