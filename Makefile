# make serve   set everything up and serve the bundled models    (PORT, HOST, MODELS can be given)
# make test    set everything up and run every test
# make lint    ruff and mypy
# make bench   measure against stock Spyne and a hand-written handler, and what attachments, stages, log and metrics take: 4 to 6 minutes
# make bench-full   measure every workload against every rival, which it installs itself: half an hour or more
# make client-java   build the Java client, run the bundled models and the web application in a Tomcat  (PORT, WEB_PORT)
# make interop call it with clients of many languages, and write docs/interop.md
# make fuzz    look for messages that break a promise, FUZZ_SECONDS (60) for each of three targets
# make soak    100,000 calls, and conversations, while versions, labels and workers change: some 15 minutes
# make example-faces   freeze mtcnn's and fer's nets, which it installs, and make the pipeline `faces` of them in .faces
# make screenshots   take the pictures of the console for docs/ anew, with Chromium: 3 minutes
# make docs    fill the reference tables from the code, and make a site of the documentation, build/site
# make docs-serve   the same, shown at DOCS_PORT (8000) and made anew at each change
# make clean   remove what the others made

HOST ?= 127.0.0.1
PORT ?= 8080
WEB_PORT ?= 8081
DOCS_PORT ?= 8000
FUZZ_SECONDS ?= 60
MODELS ?= models
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.PHONY: serve test lint bench bench-full interop client-java fuzz soak example-faces screenshots docs docs-serve clean

serve: .venv/serve.stamp
	$(BIN)/python serve.py --host $(HOST) --port $(PORT) --models $(MODELS)

test: .venv/dev.stamp .venv/models.stamp .venv/collector
	$(BIN)/pytest
	./tests/on_other_pythons.sh

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev.stamp
	$(BIN)/python -m bench --seconds 3
	$(BIN)/python -m bench.attachments --seconds 1
	$(BIN)/python -m bench.stages --calls 2000
	$(BIN)/python -m bench.observability

bench-full: .venv/dev.stamp
	$(BIN)/python -m bench.full --plots docs/images --write-docs

client-java: .venv/serve.stamp
	mvn -q -B -f clients/java verify -DskipTests
	exec java -cp clients/java/target/test-classes org.soapsvc.run.RunForAPerson . clients/java/target \
		clients/java/target/tomcat/apache-tomcat-* $(WEB_PORT) $(BIN)/python $(PORT)

interop: .venv/dev.stamp
	$(BIN)/python -m interop

fuzz: .venv/fuzz.stamp
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

soak: .venv/dev.stamp
	$(BIN)/python -m tests.soak
	$(BIN)/python -m tests.soak.conversations

example-faces: .venv/dev.stamp .venv/models.stamp
	$(BIN)/python examples/faces.py --to .faces/models --force
	@echo "Serve it with: $(BIN)/python serve.py --models .faces/models --pipeline-code faces"

screenshots: .venv/dev.stamp
	$(BIN)/python -m tests.screenshots

docs: .venv/docs.stamp
	$(BIN)/python -m docsite.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

docs-serve: .venv/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve --dev-addr localhost:$(DOCS_PORT)

clean:
	rm -rf .venv .venv-* .bench .faces .mypy_cache .pytest_cache .ruff_cache build *.egg-info clients/java/target clients/csharp/Stubs clients/csharp/bin clients/csharp/obj
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: install one, or give PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/serve.stamp: pyproject.toml requirements.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

.venv/dev.stamp: .venv/serve.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test,lint]'
	touch $@

.venv/docs.stamp: .venv/serve.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[docs]'
	touch $@

# A real OpenTelemetry collector, for tests of tracing; needs Go
.venv/collector: tests/collector/main.go tests/collector/go.mod tests/collector/go.sum | .venv/bin/python
	cd tests/collector && go build -o ../../.venv/collector .

.venv/fuzz.stamp: .venv/dev.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	touch $@

# Models of others, for tests only; what they ask for would break the environment, so they stand beside it
.venv/models.stamp: tests/real_models/requirements.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .venv/real-models -r $<
	touch $@
