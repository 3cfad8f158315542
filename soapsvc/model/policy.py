"""Which versions of a model are wanted: the latest ones, all of them, or given ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

EVERY_MODEL = "*"


@dataclass(frozen=True)
class VersionPolicy:
    """latest: how many of the highest versions of each contract.  versions: these.  Neither: all."""

    latest: int | None = None
    versions: frozenset[int] | None = None

    def __str__(self) -> str:
        if self.latest is not None:
            return f"latest {self.latest}"
        return "all" if self.versions is None else f"versions {', '.join(map(str, sorted(self.versions))) or 'none'}"

    def wanted(self, contracts: Mapping[int, int | None], failed: Collection[int]) -> set[int]:
        """Return the versions to serve.

        contracts: version -> major version of its contract, None for one whose manifest can't be read; such a one
        is always wanted, so that its reason comes to light. failed: versions that can't be loaded; under `latest`
        the next lower ones stand in for them, for a bad version must not end the service of a good one.
        """
        able = {version for version in contracts if version not in failed}
        if self.versions is not None:
            return able & self.versions
        if self.latest is None:
            return able
        wanted = {version for version in able if contracts[version] is None}
        for contract in set(contracts.values()) - {None}:
            wanted.update(sorted(version for version in able if contracts[version] == contract)[-self.latest :])
        return wanted


class VersionPolicies:
    """The policy of each model: its own, else that of `*`, else the latest one."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """settings: model name or `*` -> "all", {"latest": 2} or {"versions": [1, 3]}."""
        self._policies = {name: _policy(entry) for name, entry in settings.items()}
        self._default = self._policies.get(EVERY_MODEL, VersionPolicy(latest=1))

    def of(self, model: str) -> VersionPolicy:
        """Return a model's policy."""
        return self._policies.get(model, self._default)


def _policy(entry: Any) -> VersionPolicy:
    if entry == "all":
        return VersionPolicy()
    if "latest" in entry:
        return VersionPolicy(latest=entry["latest"])
    return VersionPolicy(versions=frozenset(entry["versions"]))
