# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FHIR ?= embedded
WORKERS ?= logical
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --no-compile
OURS := fhir_adapter summarizer training jobs
# Half of what is installed is rarely or never imported; where it is, Python compiles it then.
RARE := /(tests?|testing|rllib|R4B|STU3|physics|lexers|matplotlib|networkx|pip|mypy|mypyc|setuptools|fontTools)/|/(transformers/models|ray/(serve|data)|torch/_inductor)/

.PHONY: install demo test lint tests bench fuzz sbom clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	# Half of it by weight is NVIDIA's; pip unpacks on one core. What has no wheel here is left to the last line.
	(grep '^nvidia' constraints.txt | xargs $(PIP) --no-deps & \
		grep -v '^nvidia\|^#' constraints.txt | xargs $(PIP) --no-deps; wait) 2>/dev/null
	$(PIP) --constraint constraints.txt --editable '.[postgres,ray,train,dev]'
	$(BIN)/python -W ignore -m compileall -q -j 0 -x '$(RARE)' $(VENV)/lib $(OURS) >/dev/null || true # pip would, on one core
	touch $(STAMP)

demo: install
	$(BIN)/clinsum demo --engine $(FHIR)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint tests

tests: install
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup

bench: install
	$(BIN)/clinsum bench sentences
	$(BIN)/clinsum bench poll --set ENGINE=lead
	$(BIN)/clinsum bench labels
	$(BIN)/clinsum bench serve

# Each target of tests/fuzz/targets.py for so long; on Linux with x86_64.
SECONDS ?= 600
fuzz: install
	for target in extraction fhir segmentation checkpoint safetensors api; do \
		$(BIN)/python -m tests.fuzz.run $$target --seconds $(SECONDS) || exit 1; done

# What is installed, as CycloneDX; the same bytes for the same packages.
sbom: install
	mkdir -p build
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
		--output-format JSON --output-file build/sbom.cdx.json $(BIN)/python

clean:
	rm -rf $(VENV) .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
