#!/usr/bin/env bash
# Runs the tests of soapsvc/soap on each supported Python besides the one in .venv that this machine has.
# They need no TensorFlow, so their environments go without it.
set -euo pipefail
cd "$(dirname "$0")/.."
own=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

find_python() { # version such as 3.12 -> path of an interpreter that runs
    local found
    for found in "python$1" "$(pyenv prefix "$(pyenv latest "$1" 2>/dev/null)" 2>/dev/null)/bin/python"; do
        "$found" -c 'import venv' 2>/dev/null && { echo "$found"; return; }
    done
    return 1
}

for version in 3.11 3.12 3.13; do
    [ "$version" = "$own" ] && continue
    if ! python=$(find_python "$version"); then
        echo "Python $version is not on this machine: tests/soap did not run on it"
        continue
    fi
    venv=.venv-$version
    if [ requirements.txt -nt "$venv/stamp" ]; then
        "$python" -m venv "$venv"
        grep -v '^tensorflow' requirements.txt > "$venv/requirements.txt"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$venv/requirements.txt" \
            'pytest>=8.3,<10' 'pytest-timeout>=2.3,<3' 'requests>=2.32,<3'  # of tests/conftest.py, and its settings
        touch "$venv/stamp"
    fi
    echo "tests/soap on Python $version:"
    "$venv/bin/python" -m pytest -q -p no:cacheprovider tests/soap
done
