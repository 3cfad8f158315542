"""What a tester reads whose environment lacks the packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real_models import packages


def test_missing_packages_are_told_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "PACKAGES", tmp_path)
    with pytest.raises(packages.PackagesMissing, match=rf"(?s)mtcnn==1\.0\.0.* -m pip install .*{tmp_path}"):
        packages.add_packages()
