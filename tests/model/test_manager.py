"""Versions are loaded, lent and unloaded on their own: a bad one stops no other, a lent one is not taken away."""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from soapsvc.errors import InvalidInput, LoadError, ModelNotFound
from soapsvc.model.binding import Binding
from soapsvc.model.contract import Contract
from soapsvc.model.loader import load
from soapsvc.model.manager import ModelManager
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Limits, Signature
from soapsvc.model.source import VersionFolder, find_versions
from soapsvc.model.status import State, VersionStatus
from tests.model.folders import DOUBLE, changed, write_version

WAIT_S = 30.0


class StubGraph:
    """Notes whether it was closed; runs nothing."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def run(self, feeds: Any, fetches: Any) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        assert not self.closed.is_set()
        self.closed.set()


def folder(name: str, version: int) -> VersionFolder:
    return VersionFolder(name, version, Path("models") / name / str(version))


def stub(found: VersionFolder, contract_version: int = 1) -> Servable:
    signature = Signature({}, {})
    contract = Contract(found.name, contract_version, "", (), ())
    return Servable(
        name=found.name, version=found.version, description="", signatures={"predict": signature}, signature="predict",
        contract=contract, binding=Binding(contract, signature, Limits()), limits=Limits(), graph=StubGraph(),
    )  # fmt: skip


def load_stub(found: VersionFolder) -> Servable:
    """Load a stub; an even version of `mixed` keeps contract 2."""
    return stub(found, 2 if found.name == "mixed" and found.version % 2 == 0 else 1)


def admit_all(_: Servable) -> None:
    """Refuse nothing."""


def manager_of(
    *versions: tuple[str, int], labels: Mapping[str, Mapping[str, int]] | None = None, loader: Any = load_stub
) -> ModelManager:
    manager = ModelManager(loader, labels)
    manager.load_all([folder(*version) for version in versions], admit_all)
    return manager


def lent(manager: ModelManager, *args: Any, **kwargs: Any) -> tuple[str, int]:
    with manager.handle(*args, **kwargs) as servable:
        return servable.name, servable.version


def refusal(manager: ModelManager, *args: Any, **kwargs: Any) -> tuple[str, str]:
    with pytest.raises(ModelNotFound) as caught:
        lent(manager, *args, **kwargs)
    return caught.value.code, caught.value.message


def states(manager: ModelManager) -> dict[tuple[str, int], State]:
    return {(status.name, status.version): status.state for status in manager.status()}


def failing(error: Exception, name: str = "bad") -> Any:
    def load_or_fail(found: VersionFolder) -> Servable:
        if found.name == name:
            raise error
        return load_stub(found)

    return load_or_fail


# Loading and lending


def test_models_and_versions_stand_side_by_side() -> None:
    manager = manager_of(("iris", 1), ("iris", 10), ("iris", 9), ("digits", 2))
    assert manager.names() == ["digits", "iris"]
    assert [lent(manager, "iris", version) for version in (1, 9, 10)] == [("iris", 1), ("iris", 9), ("iris", 10)]
    assert lent(manager, "digits") == ("digits", 2)


@pytest.mark.parametrize("order", [(1, 2, 10), (10, 2, 1), (2, 10, 1)])
def test_highest_version_is_the_default_whatever_the_order(order: Iterable[int]) -> None:
    assert lent(manager_of(*(("iris", version) for version in order)), "iris") == ("iris", 10)


def test_version_that_cannot_load_stands_in_the_status_and_stops_no_other() -> None:
    def load_or_fail(found: VersionFolder) -> Servable:
        if found.version == 2:
            raise LoadError("iris/2/model.yaml: name: Field required")
        return load_stub(found)

    manager = manager_of(("iris", 1), ("iris", 2), ("other", 1), loader=load_or_fail)
    assert lent(manager, "iris") == ("iris", 1)
    assert manager.status() == [
        VersionStatus("iris", 1, State.AVAILABLE),
        VersionStatus("iris", 2, State.END, "iris/2/model.yaml: name: Field required"),
        VersionStatus("other", 1, State.AVAILABLE),
    ]
    assert refusal(manager, "iris", 2) == ("unknown-version", "iris has no version 2; available are 1")


@pytest.mark.parametrize("error", [ValueError("a secret path"), RecursionError("deep"), MemoryError()])
def test_unexpected_error_is_kept_without_its_words(error: Exception) -> None:
    manager = manager_of(("bad", 1), ("good", 1), loader=failing(error))
    reason = f"unexpected {type(error).__name__}; the log has more"
    assert manager.status()[0] == VersionStatus("bad", 1, State.END, reason)
    assert manager.names() == ["good"]


def test_unexpected_error_is_logged_with_its_words(caplog: pytest.LogCaptureFixture) -> None:
    manager_of(("bad", 1), loader=failing(ValueError("a secret path")))
    assert "a secret path" in caplog.text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LoadError("contract 1 changed"), "contract 1 changed"),
        (ValueError("words"), "unexpected ValueError; the log has more"),
    ],
)
def test_version_not_admitted_is_freed_and_not_served(error: Exception, reason: str) -> None:
    refused: list[Servable] = []

    def admit(servable: Servable) -> None:
        if servable.version == 2:
            refused.append(servable)
            raise error

    manager = ModelManager(load_stub)
    manager.load_all([folder("iris", 1), folder("iris", 2), folder("iris", 3)], admit)
    assert refused[0].graph.closed.is_set()  # type: ignore[attr-defined]
    assert manager.status()[1] == VersionStatus("iris", 2, State.END, reason)
    assert lent(manager, "iris") == ("iris", 3)
    assert refusal(manager, "iris", 2)[0] == "unknown-version"


def test_version_is_loading_until_it_is_admitted() -> None:
    manager = ModelManager(load_stub)
    seen: list[Any] = []
    manager.load(folder("iris", 1), lambda _: seen.append((states(manager), manager.names())))
    assert seen == [({("iris", 1): State.LOADING}, [])]


def test_manager_serves_a_real_folder_beside_a_broken_one(models: Path, double: bytes) -> None:
    write_version(models, DOUBLE, double)
    write_version(models, DOUBLE, b"junk", version=2)
    write_version(models, changed(DOUBLE, "name", "other"), double, folder="third")
    manager = ModelManager(load)
    manager.load_all(find_versions(models), admit_all)
    assert lent(manager, "double") == ("double", 1)
    reasons = {(status.name, status.version): status.reason for status in manager.status() if status.reason}
    assert list(reasons) == [("double", 2), ("third", 1)]
    assert reasons["double", 2].startswith("double/2/model.pb: not a frozen GraphDef")
    assert "name: other stands in the folder of third" in reasons["third", 1]
    manager.unload("double", 1)


# What is not there


def test_model_unknown_is_refused_with_those_that_are_known() -> None:
    manager = manager_of(("iris", 1), ("digits", 1))
    words = "no model named 'wine' is available; available are digits, iris"
    assert refusal(manager, "wine") == ("unknown-model", words)
    assert refusal(ModelManager(load_stub), "wine")[1].endswith("available are none")


@pytest.mark.parametrize("version", [0, -1, 4, 10**20])
def test_version_unknown_is_refused_with_those_that_are_known(version: int) -> None:
    manager = manager_of(("iris", 3), ("iris", 1))
    words = f"iris has no version {version}; available are 1, 3"
    assert refusal(manager, "iris", version) == ("unknown-version", words)


def test_label_chooses_a_version() -> None:
    manager = manager_of(("iris", 1), ("iris", 2), labels={"iris": {"stable": 1, "next": 2}})
    assert [lent(manager, "iris", label=label) for label in ("stable", "next")] == [("iris", 1), ("iris", 2)]
    assert lent(manager, "iris") == ("iris", 2)


def test_label_unknown_is_refused() -> None:
    manager = manager_of(("iris", 1), ("digits", 1), labels={"digits": {"stable": 1}})
    assert refusal(manager, "iris", label="stable") == ("unknown-label", "iris has no label 'stable'")
    assert refusal(manager, "digits", label="")[0] == "unknown-label"


def test_label_of_a_version_not_loaded_is_refused() -> None:
    manager = manager_of(("iris", 1), labels={"iris": {"next": 2}})
    assert refusal(manager, "iris", label="next") == ("unknown-version", "iris has no version 2; available are 1")


def test_version_and_label_together_are_refused() -> None:
    manager = manager_of(("iris", 1), labels={"iris": {"stable": 1}})
    with pytest.raises(InvalidInput) as caught, manager.handle("iris", 1, "stable"):
        pass
    assert (caught.value.code, caught.value.field) == ("ambiguous-version", "label")


# Contracts


@pytest.mark.parametrize(("contract", "version"), [(1, 3), (2, 4), (None, 4)])
def test_contract_chooses_the_highest_version_that_keeps_it(contract: int | None, version: int) -> None:
    manager = manager_of(*(("mixed", number) for number in (1, 2, 3, 4)))
    assert lent(manager, "mixed", contract=contract) == ("mixed", version)


def test_contract_hides_versions_that_do_not_keep_it() -> None:
    manager = manager_of(("mixed", 1), ("mixed", 2), labels={"mixed": {"stable": 1}})
    words = "mixed has no version 1; available are 2"
    assert refusal(manager, "mixed", 1, contract=2) == ("unknown-version", words)
    assert refusal(manager, "mixed", label="stable", contract=2)[0] == "unknown-version"


def test_contract_that_no_version_keeps_is_refused_in_its_own_words() -> None:
    words = "mixed has no version that keeps contract 3"
    assert refusal(manager_of(("mixed", 1)), "mixed", contract=3) == ("unknown-model", words)


# Unloading


def test_unload_frees_the_version_and_the_next_highest_stands_in() -> None:
    manager = manager_of(("iris", 1), ("iris", 2))
    with manager.handle("iris") as servable:
        graph: Any = servable.graph
    manager.unload("iris", 2)
    assert graph.closed.is_set()
    assert lent(manager, "iris") == ("iris", 1)
    assert manager.status()[1] == VersionStatus("iris", 2, State.END, "unloaded")


def test_handle_after_the_last_version_is_unloaded_is_refused() -> None:
    manager = manager_of(("iris", 1))
    manager.unload("iris", 1)
    assert manager.names() == []
    assert refusal(manager, "iris")[0] == "unknown-model"
    with pytest.raises(ModelNotFound):
        manager.unload("iris", 1)


def test_unload_unknown_is_refused() -> None:
    manager = manager_of(("iris", 1))
    with pytest.raises(ModelNotFound, match="iris has no version 2"):
        manager.unload("iris", 2)
    assert lent(manager, "iris") == ("iris", 1)


def test_unload_waits_for_every_handle_and_lets_no_new_one_out() -> None:
    manager = manager_of(("iris", 1), ("iris", 2))
    unloading = threading.Thread(target=manager.unload, args=("iris", 2))
    with manager.handle("iris", 2) as servable:
        graph: Any = servable.graph
        with manager.handle("iris", 2):
            unloading.start()
            while states(manager)["iris", 2] is State.AVAILABLE:
                assert unloading.is_alive()
            assert lent(manager, "iris") == ("iris", 1)
            assert refusal(manager, "iris", 2)[0] == "unknown-version"
        assert states(manager)["iris", 2] is State.UNLOADING
        assert not graph.closed.is_set()
        assert unloading.is_alive()
    unloading.join(WAIT_S)
    assert not unloading.is_alive()
    assert graph.closed.is_set()
    assert states(manager) == {("iris", 1): State.AVAILABLE, ("iris", 2): State.END}


def test_unload_does_not_wait_for_handles_of_other_versions() -> None:
    manager = manager_of(("iris", 1), ("iris", 2), ("other", 1))
    with manager.handle("iris", 1), manager.handle("other"):
        unloading = threading.Thread(target=manager.unload, args=("iris", 2))
        unloading.start()
        unloading.join(WAIT_S)
        assert states(manager)["iris", 2] is State.END


def test_handle_is_given_back_when_the_call_fails() -> None:
    manager = manager_of(("iris", 1))
    with pytest.raises(ZeroDivisionError), manager.handle("iris"):
        raise ZeroDivisionError
    unloading = threading.Thread(target=manager.unload, args=("iris", 1))
    unloading.start()
    unloading.join(WAIT_S)
    assert states(manager)["iris", 1] is State.END


def test_many_threads_never_hold_a_freed_servable() -> None:
    manager = manager_of(*(("iris", version) for version in range(1, 6)))
    found: list[bool] = []
    start = threading.Barrier(5)

    def call() -> None:
        start.wait(WAIT_S)
        for _ in range(300):
            with manager.handle("iris") as servable:
                graph: Any = servable.graph
                found.append(graph.closed.is_set())

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait(WAIT_S)
    for version in (5, 4, 3, 2):
        manager.unload("iris", version)
    for thread in threads:
        thread.join(WAIT_S)
    assert (len(found), any(found)) == (1200, False)
    assert lent(manager, "iris") == ("iris", 1)


# Labels that move


def labels(manager: ModelManager) -> list[tuple[str, int | None, int]]:
    return [(status.label, status.version, status.wanted) for status in manager.labels()]


def test_label_stays_until_the_version_it_is_wanted_on_is_loaded() -> None:
    manager = manager_of(("iris", 1), labels={"iris": {"stable": 1}})
    manager.want_labels("iris", {"stable": 2})
    assert (labels(manager), lent(manager, "iris", label="stable")) == ([("stable", 1, 2)], ("iris", 1))
    manager.load(folder("iris", 2), admit_all)
    assert (labels(manager), lent(manager, "iris", label="stable")) == ([("stable", 2, 2)], ("iris", 2))


def test_label_wanted_no_more_is_gone() -> None:
    manager = manager_of(("iris", 1), labels={"iris": {"stable": 1}})
    manager.want_labels("iris", {})
    assert refusal(manager, "iris", label="stable")[0] == "unknown-label"


def test_label_never_stands_on_an_unloaded_version() -> None:
    manager = manager_of(("iris", 1), ("iris", 2), labels={"iris": {"stable": 1}})
    manager.unload("iris", 1)
    assert labels(manager) == [("stable", None, 1)]


def test_load_of_a_loaded_version_is_refused_and_leaves_it_serving() -> None:
    loads: list[VersionFolder] = []

    def count(found: VersionFolder) -> Servable:
        loads.append(found)
        return load_stub(found)

    manager = manager_of(("iris", 1), loader=count)
    assert not manager.load(folder("iris", 1), admit_all)
    assert (len(loads), states(manager)) == (1, {("iris", 1): State.AVAILABLE})


def test_calls_go_on_while_a_graph_is_freed() -> None:
    manager = manager_of(("iris", 1), ("iris", 2))
    with manager.handle("iris", 2) as servable:
        graph: Any = servable.graph
    lent_meanwhile = []
    graph.close = lambda: lent_meanwhile.append(call_from_another_thread(manager))
    manager.unload("iris", 2)
    assert lent_meanwhile == [("iris", 1)]


def call_from_another_thread(manager: ModelManager) -> tuple[str, int] | None:
    """Return what a call gets that must not wait for the caller's locks, None when it waits."""
    got: list[tuple[str, int]] = []
    thread = threading.Thread(target=lambda: got.append(lent(manager, "iris")), daemon=True)
    thread.start()
    thread.join(WAIT_S)
    return got[0] if got else None
