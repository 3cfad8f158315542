"""Prometheus itself takes every expression of docs/metrics.md, of the dashboard and of the alert rules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy.test_monitoring import expressions


def checked(path: Path) -> str:
    """Return what promtool says of a file of rules; fails where it is missing, or refuses one."""
    if shutil.which("promtool") is None:
        pytest.fail("promtool is needed: apt-get install prometheus")
    done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_parses_every_expression(tmp_path: Path) -> None:
    given = [text.replace("\\|", "|").replace("$__rate_interval", "5m") for text in expressions()]
    given = [text.replace("$model", "iris") for text in given]
    rules = [{"record": f"job:expression{at}:sum", "expr": text} for at, text in enumerate(given)]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "expressions", "rules": rules}]}))
    assert f"SUCCESS: {len(given)} rules found" in checked(path)


def test_prometheus_takes_the_alert_rules() -> None:
    assert "SUCCESS" in checked(ROOT / "deploy/monitoring/alerts.yml")
