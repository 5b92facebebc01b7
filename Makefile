# Every target makes what it needs: the environment in .venv, the graphics libraries, the samples.
# make PYTHON=/path/to/python3.12 chooses the interpreter.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?=
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# A waiting cell lets nobody look into it but root; in a namespace of their own everybody is.
SEEING := $(if $(ROOT),,$(shell unshare -r true 2>/dev/null && echo unshare -r))

.PHONY: help demo test test-service check proof proof-full bench evaluate docs policy-coverage lab voila serve samples templates contact-sheet \
	notebooks notebooks-full mutants lock clean libraries demo-steps test-steps

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

# -- what people ask for ----------------------------------------------------------------------

demo: ## swap two people into three templates, into out/demo; then use the service, from accepting to leaving
test: ## run every test and doctest
demo test:
	@start=$$SECONDS; $(MAKE) --no-print-directory $@-steps; echo "make $@ took $$((SECONDS - start)) s"

demo-steps: .venv/core.stamp libraries
	@$(BIN)/facekit samples --fetch || echo "going on with the samples that are here"
	@$(BIN)/facekit demo
	@echo; $(SEEING) $(BIN)/facekit demo --service

# Three processes for two cores, since many tests wait: notebooks and pages; cells and the service; all else.
PAGES := tests/docs tests/e2e tests/notebooks
CELLS := tests/service $(addprefix tests/test_,cell.py demo_service.py proof.py statements.py)
TESTS := $(BIN)/python -m pytest -m "not slow"
test-steps: .venv/dev.stamp libraries
	@$(BIN)/facekit samples --fetch || echo "going on with the samples that are here"
	@mkdir -p out; \
	$(TESTS) -p no:cacheprovider $(PAGES) notebooks/*.ipynb >out/pages.log 2>&1 & pages=$$!; \
	$(TESTS) -p no:cacheprovider $(CELLS) service >out/cells.log 2>&1 & cells=$$!; \
	failed=0; $(TESTS) tests facekit $(PAGES:%=--ignore=%) $(CELLS:%=--ignore=%) || failed=$$?; \
	wait $$pages || failed=$$?; wait $$cells || failed=$$?; cat out/pages.log out/cells.log; exit $$failed

test-service: .venv/dev.stamp libraries ## every test of the service on SQLite and PostgreSQL, the slow ones too; a quarter of an hour
	@$(BIN)/python -m pytest -p no:cacheprovider tests/service service

check: .venv/dev.stamp libraries ## style, types, import order, docstrings, doctests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/check_docstrings.py
	$(BIN)/python -m pytest --quiet --doctest-modules facekit tests/test_packaging.py

proof: .venv/core.stamp libraries ## do a job from end to end, then search disks and memory for what is left
	@$(SEEING) $(BIN)/facekit proof $(PHOTO)

proof-full: .venv/dev.stamp libraries ## all of the twelve statements: 200 rounds of killing, 1,000 jobs; nine minutes
	@$(SEEING) env FACEKIT_ROUNDS=200 FACEKIT_JOBS=1000 $(BIN)/python -m pytest tests/test_statements.py \
		tests/test_cell.py tests/test_walls.py tests/test_envelope.py tests/test_receipts.py tests/test_store_faults.py
	@$(SEEING) $(BIN)/facekit proof $(PHOTO)

bench: .venv/dev.stamp .venv/fpie.stamp libraries ## measure against peers; writes benchmarks/results.md and .json
	@$(BIN)/facekit samples --fetch || echo "going on with the samples that are here"
	@$(BIN)/python -m benchmarks $(TABLES)

evaluate: .venv/dev.stamp libraries ## swap all sample people into each other, and measure
	@$(BIN)/facekit samples --fetch
	@$(BIN)/python tools/evaluate.py --out out/evaluate

# Not --quiet: that would hide the warnings from --strict.
docs: .venv/docs.stamp libraries ## build the documentation site, into out/docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "wrote out/docs/index.html; searching needs a server: $(BIN)/python -m http.server -d out/docs"

lab: .venv/lab.stamp libraries ## open JupyterLab in the environment
	cd notebooks && ../$(BIN)/jupyter lab --config=jupyter_lab_config.json $(ROOT) $(LAB_OPTIONS)

voila: .venv/lab.stamp libraries ## serve the notebooks as web pages, for people without Jupyter
	@$(BIN)/facekit samples --fetch || echo "going on with the samples that are here"
	cd notebooks && ../$(BIN)/python -m voila . $(VOILA_OPTIONS)

notebooks-full: .venv/dev.stamp libraries ## run every notebook with large pictures, into out/notebooks
	@$(BIN)/facekit samples --fetch || echo "going on with the samples that are here"
	@$(BIN)/python tools/notebooks.py full

mutants: .venv/dev.stamp libraries ## change each number of the numerics: which notebook notices? half an hour
	@$(BIN)/facekit samples --fetch
	@$(BIN)/python tools/mutants.py $(if $(filter all,$(MUTANTS)),--all,$(MUTANTS))

serve: .venv/core.stamp libraries ## start the service on this machine; codes come on the terminal
	@exec $(BIN)/facekit serve $(SERVE_OPTIONS)

samples: .venv/core.stamp ## fetch the sample pictures into the user's cache
	@$(BIN)/facekit samples --fetch

# -- what is committed and can be made again --------------------------------------------------

templates: .venv/core.stamp libraries ## draw the ready templates again
	$(BIN)/python -m templates.draw

contact-sheet: .venv/core.stamp libraries ## make docs/contact-sheet again
	@$(BIN)/facekit samples --fetch
	$(BIN)/python tools/contact_sheet.py

policy-coverage: .venv/core.stamp ## make docs/policy-coverage.md again
	$(BIN)/python tools/policy_coverage.py

notebooks: .venv/dev.stamp libraries ## run the notebooks' sources, and write their outputs again
	@$(BIN)/facekit samples --fetch
	@$(BIN)/python tools/notebooks.py make $(NAMES)

lock: .venv/core.stamp ## pin every dependency again
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --upgrade --all-extras --universal --fork-strategy fewest \
		--python-version 3.11 --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--quiet --output-file requirements.lock

clean: ## remove the environment and everything made
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# -- the environment --------------------------------------------------------------------------

libraries:
	@tools/system_libraries.sh

.venv/bin/python:
	@python=$$(tools/find_python.sh $(PYTHON)); echo "making .venv with $$python" >&2; "$$python" -m venv .venv

.venv/core.stamp: EXTRAS := [service]
.venv/dev.stamp: EXTRAS := [dev,lab,docs,service]
.venv/docs.stamp: EXTRAS := [docs]
.venv/lab.stamp: EXTRAS := [lab]
.venv/bench.stamp: EXTRAS := [bench]
.venv/fpie.stamp: benchmarks/install_fpie.sh .venv/bench.stamp
	@echo "building fpie, a peer of the benchmarks" >&2
	@$< $(BIN)/python || echo "fpie could not be installed; going on without it" >&2
	@touch $@
.venv/%.stamp: pyproject.toml requirements.lock | .venv/bin/python
	@echo "installing facekit$(EXTRAS) into .venv" >&2
	@$(INSTALL) -e '.$(EXTRAS)'
	@touch $@
