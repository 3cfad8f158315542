"""The iris graph as MLServer runs it: the same frozen graph and fast call as every other rival."""

from __future__ import annotations

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

from bench.predict import make_predictor


class IrisRuntime(MLModel):
    """Answers the labels and their scores, the best first."""

    async def load(self) -> bool:
        """Load the bundled model."""
        self._predict, self._model_version = make_predictor()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer one row."""
        (features,) = NumpyCodec.decode_input(payload.inputs[0])
        labels, scores = zip(*self._predict(features), strict=True)
        outputs = [
            StringCodec.encode_output("labels", list(labels)),
            NumpyCodec.encode_output("scores", np.array([scores])),
        ]
        return InferenceResponse(model_name=self.name, model_version=str(self._model_version), outputs=outputs)
