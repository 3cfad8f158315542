"""Stock Spyne, collector fixed, reading a tensor whose values are elements: `python -m bench.spyne_tensor_server`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import soapsvc.soap.compat  # noqa: F401  (lets Python 3.12 and 3.13 import Spyne)

# isort: split
import spyne.const
from spyne import Application, Array, ComplexModel, Double, Integer, MethodContext, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

from bench.listen import serve
from bench.workloads import LARGE_MODELS
from soapsvc.model.loader import load
from soapsvc.model.source import VersionFolder

NAMESPACE = "urn:soapsvc:pixels:v1"


class Tensor(ComplexModel):
    """The tensor of our own contract, without what this workload does not use."""

    __namespace__ = NAMESPACE
    _type_info = [  # noqa: RUF012  (Spyne takes it apart when the class is made)
        ("dtype", Unicode),
        ("shape", Array(Integer, member_name="item")),
        ("doubles", Array(Double, member_name="item")),
    ]


class Prediction(ComplexModel):
    """The answer."""

    __namespace__ = NAMESPACE
    answer = Double


def make_service() -> type[ServiceBase]:
    """Return the service class around the model of `bench.large_models`."""
    servable = load(VersionFolder("pixels", 1, LARGE_MODELS / "pixels" / "1"))
    signature = servable.find_signature(None)

    class PixelsService(ServiceBase):
        """One operation."""

        @rpc(Tensor, _returns=Prediction)
        def predict(ctx: MethodContext, pixels: Tensor) -> Any:  # noqa: N805  (Spyne's way)
            """Predict for one instance."""
            array = np.array(pixels.doubles, np.float32).reshape(1, *pixels.shape)
            return Prediction(answer=float(servable.run(signature, {"pixels": array})["answer"][0]))

    return PixelsService


if __name__ == "__main__":
    spyne.const.MIN_GC_INTERVAL = math.inf
    protocol = Soap11(validator="lxml", huge_tree=True)
    application = Application([make_service()], NAMESPACE, in_protocol=protocol, out_protocol=Soap11())
    serve(WsgiApplication(application, max_content_length=2**26))
