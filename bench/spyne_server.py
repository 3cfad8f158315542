"""The rival that a team would write first: stock Spyne, same contract, same graph, on waitress.

`python -m bench.spyne_server [--collector-off]`. Spyne keeps its own (de)serialisation, validation and logging.
"""

from __future__ import annotations

import argparse
import logging
import math
from typing import Any

import soapsvc.soap.compat  # noqa: F401  (lets Python 3.12 and 3.13 import Spyne; what else it sets is undone below)

# isort: split
import spyne.const
from spyne import Application, Array, ComplexModel, Double, Long, Mandatory, MethodContext, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

from bench.iris import COLUMNS, NAMESPACE
from bench.listen import serve
from bench.predict import make_predictor

SPYNES_OWN_GC_INTERVAL_S = 1.0  # spyne.const.MIN_GC_INTERVAL as Spyne 2.14 ships it


class ScoredLabel(ComplexModel):
    """One class and its score."""

    __namespace__ = NAMESPACE
    label = Mandatory(Unicode)
    score = Mandatory(Double)


class Prediction(ComplexModel):
    """The answer, in the shape of our own contract."""

    __namespace__ = NAMESPACE
    _type_info = [  # noqa: RUF012  (Spyne takes it apart when the class is made)
        ("probabilities", Array(ScoredLabel)),
        ("modelVersion", Long),
    ]


def make_service() -> type[ServiceBase]:
    """Return the service class around a loaded model."""
    predict_iris, version = make_predictor()

    class IrisService(ServiceBase):
        """One operation."""

        @rpc(*[Mandatory(Double)] * len(COLUMNS), _args=list(COLUMNS), _returns=Prediction)
        def predict(ctx: MethodContext, *values: float) -> Any:  # noqa: N805  (Spyne's way)
            """Predict for one instance."""
            ranking = [ScoredLabel(label=label, score=score) for label, score in predict_iris(values)]
            return Prediction(probabilities=ranking, modelVersion=version)

    return IrisService


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collector-off", action="store_true", help="no garbage collection by Spyne")
    options = parser.parse_args()
    spyne.const.MIN_GC_INTERVAL = math.inf if options.collector_off else SPYNES_OWN_GC_INTERVAL_S
    logging.getLogger("spyne").setLevel(logging.NOTSET)
    app = Application([make_service()], NAMESPACE, in_protocol=Soap11(validator="lxml"), out_protocol=Soap11())
    serve(WsgiApplication(app))


if __name__ == "__main__":
    main()
