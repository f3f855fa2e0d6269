# make study | make figures | make test: each sets up what it needs by itself.
PYTHON ?= $(shell command -v python3.12 >/dev/null 2>&1 && python3.12 -c '' 2>/dev/null && echo python3.12 || echo python3)
CORES ?= all
CONFIG ?=
RELEASED ?=
BIN := .venv/bin
# Snakemake keeps copies of rule files below the home, and ends in a traceback where it cannot.
ifeq ($(shell test -w "$$HOME" && echo yes),)
export XDG_CACHE_HOME ?= $(CURDIR)/.snakemake/cache
endif
$(foreach file,$(CONFIG),$(if $(wildcard $(file)),,$(error Error: CONFIG: $(file): no such file)))
# --cores stands last: a target would count as one more value of the options before it.
SNAKEMAKE := $(BIN)/snakemake $(if $(CONFIG),--configfile $(CONFIG)) \
	$(if $(RELEASED),--config 'released=$(RELEASED)') --cores $(CORES)

.PHONY: study figures release test test-faults faults bench readme lint lock unlock clean help

help:  ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

# The stamp is written last, so a broken installation is taken up again.
.venv/installed: envs/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 12) else \
		"Error: Python 3.11 or 3.12 is needed, this is %d.%d; try: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements.txt
	@touch $@

study: .venv/installed  ## rebuild every study: download, train, measure, draw
	$(SNAKEMAKE)

figures: .venv/installed  ## redraw figures, tables and claims; with RELEASED=releases/preview from releases, without training
	$(SNAKEMAKE) figures

release: .venv/installed  ## pack the numbers of each study into results/release/X.zip, for releases/preview/
	$(SNAKEMAKE) release

test: .venv/installed  ## run all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-faults: .venv/installed  ## break runs in every way we know, and look at what is left
	$(BIN)/python -m pytest -m faults -n 2 --dist loadfile --no-loadscope-reorder tests/workflow/slurm tests/workflow/faults

faults: .venv/installed  ## the same, and renew the README's table of it (releases/faults.csv)
	$(BIN)/snakemake --cores 2 faults
	cp results/faults/faults.csv releases/faults.csv

bench: .venv/installed  ## measure speeds as ratios (results/bench/)
	$(BIN)/snakemake --cores 1 bench

readme: .venv/installed  ## put the newest tables and pictures into README.md
	$(SNAKEMAKE) readme

lint: .venv/installed  ## formatting and lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

lock: .venv/installed  ## renew envs/requirements.txt from envs/requirements.in
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --upgrade -o envs/requirements.txt envs/requirements.in

unlock: .venv/installed  ## after a crash: remove Snakemake's lock, then run make study again
	$(SNAKEMAKE) --unlock

clean:  ## remove the results, keep the environment
	find results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf .snakemake
