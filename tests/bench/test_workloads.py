from __future__ import annotations

import pytest

from bench import iris
from bench.workloads import WORKLOADS

SMALL = [name for name, workload in WORKLOADS.items() if workload.models == iris.MODELS and name != "iris-grpc"]


def answer(labels: list[str]) -> bytes:
    items = "".join(f"<item><label>{label}</label><score>0.5</score></item>" for label in labels)
    return f"<predictResult><probabilities>{items}</probabilities></predictResult>".encode()


@pytest.mark.parametrize("name", SMALL)
def test_a_request_has_the_length_that_it_tells(name: str) -> None:
    for exchange in WORKLOADS[name].exchanges():
        head, _, body = exchange.request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head.splitlines()


@pytest.mark.parametrize(("workload", "right"), [("digits-mtom", "1"), ("language", "de"), ("iris", "setosa")])
def test_an_answer_is_right_when_the_expected_label_is_first(workload: str, right: str) -> None:
    exchange = WORKLOADS[workload].exchanges()[0]
    others = ["versicolor", "virginica"] if workload == "iris" else ["7", "zh"]
    assert exchange.is_right(answer([right, *others]))
    assert not exchange.is_right(answer([*others, right]))
    assert not exchange.is_right(b"<fault/>")


def test_a_batch_is_right_only_with_every_row() -> None:
    (exchange,) = WORKLOADS["iris-batch"].exchanges()
    species = [flower.species.decode() for flower in iris.FLOWERS]
    rows = [[species[row % 3], *[other for other in species if other != species[row % 3]]] for row in range(1000)]
    assert exchange.is_right(b"".join(map(answer, rows)))
    assert not exchange.is_right(b"".join(map(answer, rows[:-1])))
    assert not exchange.is_right(b"".join(map(answer, [rows[1], *rows[1:]])))


def test_a_tensor_is_right_when_its_mean_is() -> None:
    (exchange,) = WORKLOADS["tensor-mtom"].exchanges()
    assert exchange.is_right(b"<predictResult><answer>0.50003</answer></predictResult>")
    assert not exchange.is_right(b"<predictResult><answer>0.6</answer></predictResult>")
    assert not exchange.is_right(b"<read/>")
