"""The HTTP side of an endpoint, where no real server is needed: what no endpoint can answer is answered in SOAP too."""

from __future__ import annotations

import pytest
from lxml import etree

from soapsvc.soap.contracts import Contracts
from soapsvc.soap.ns import SoapVersion
from tests.fuzz.targets import service
from tests.properties.web import web_of
from tests.soap.conftest import envelope
from tests.soap.messages import predict


@pytest.mark.parametrize("soap", list(SoapVersion))
def test_defect_before_the_endpoint_is_a_fault_that_tells_nothing(
    soap: SoapVersion, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def defect(*_: object) -> None:
        raise KeyError("inside")

    monkeypatch.setattr(Contracts, "find", defect)
    path = "/soap12/kinds/v1" if soap is SoapVersion.SOAP12 else "/soap/kinds/v1"
    reply = web_of(service().manager).post(
        path, envelope(predict(), soap), soap.content_type, HTTP_X_REQUEST_ID="the-request"
    )
    assert (reply.status, reply.content_type) == (500, soap.content_type)
    assert etree.QName(etree.fromstring(reply.body)).namespace == soap.envelope
    assert b"Internal Error (request the-request)" in reply.body
    assert b"inside" not in reply.body
    assert "request the-request failed" in caplog.text
