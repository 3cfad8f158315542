"""Namespaces in force at one place are few, or looking up an xsi:type for each of many items would take hours."""

from __future__ import annotations

import pytest

from soapsvc.soap.namespaces import MAX_NAMESPACES
from tests.soap.conftest import Service, envelope
from tests.soap.messages import MEMBERS, NS, fault_code, find, predict

XS, XSI = "http://www.w3.org/2001/XMLSchema", "http://www.w3.org/2001/XMLSchema-instance"
OWN = 4  # s, the default one, xs and xsi


def declaring(count: int) -> bytes:
    """Return a request that declares so many namespaces around items that each name their type."""
    spare = "".join(f' xmlns:n{index}="urn:n{index}"' for index in range(count - OWN))
    body = predict(codes='<item xsi:type="xs:long">1</item>' * 8)
    return envelope(body.replace("<predict ", f'<predict{spare} xmlns:xs="{XS}" xmlns:xsi="{XSI}" ', 1))


def test_as_many_namespaces_as_allowed_are_read(service: Service) -> None:
    reply = service.post(declaring(MAX_NAMESPACES))
    assert (reply.status, find(reply, "codes/item")) == (200, "1")


@pytest.mark.parametrize("count", [MAX_NAMESPACES + 1, 100_000])
def test_more_namespaces_are_a_fault(service: Service, count: int) -> None:
    reply = service.post(declaring(count))
    assert fault_code(reply)[0] == "Client"
    assert b"more than 64 namespaces are declared at one place" in reply.body


def test_namespaces_nested_in_each_other_count_together(service: Service) -> None:
    open_, close = "", ""
    for depth in range(40):
        open_ += f'<a xmlns:n{2 * depth}="urn:a" xmlns:n{2 * depth + 1}="urn:b">'
        close += "</a>"
    assert b"more than 64 namespaces" in service.post(envelope(open_ + close)).body


def test_many_elements_may_each_declare_their_own_as_net_does(service: Service) -> None:
    instance = "".join(f"<{name}>{text}</{name}>" for name, text in MEMBERS.items())
    nil = f'<offset xmlns:xsi="{XSI}" xmlns:a="urn:a" xmlns:b="urn:b" xsi:nil="true"/>'
    nothing = "".join(f'<item xmlns:n{index}="urn:n">{index}</item>' for index in range(8))
    changed = instance.replace("<offset>0.5</offset>", nil).replace("<item>7</item>", nothing)
    rows = f"<item>{changed}</item>" * 8
    reply = service.post(envelope(f'<predictBatch xmlns="{NS}"><instances>{rows}</instances></predictBatch>'))
    assert reply.status == 200, reply.body


def test_message_that_is_not_well_formed_is_told_where(service: Service) -> None:
    reply = service.post(declaring(MAX_NAMESPACES)[:-5] + b"xmlns" * 65)
    assert b"not well-formed XML (line" in reply.body
