# make study | make figures | make test: each sets up what it needs by itself.
PYTHON ?= $(shell command -v python3.12 >/dev/null 2>&1 && python3.12 -c '' 2>/dev/null && echo python3.12 || echo python3)
CORES ?= all
CONFIG ?=
RELEASED ?=
STUDY ?=
TOUR := income
# Programs run as modules: their own starters keep the path at which the environment was made, and it may have moved.
RUN := .venv/bin/python -m
# The caller's Python settings are none of ours: a cluster module's packages, a notebook's backend, another locale.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP
export MPLBACKEND := agg
export PYTHONUTF8 := 1
# A user without an entry in /etc/passwd, as in a container, has neither name nor home.
ifeq ($(shell id -un >/dev/null 2>&1 && echo yes),)
export LOGNAME ?= nobody
endif
export HOME ?= /
# Snakemake keeps copies of rule files below the home, and ends in a traceback where it cannot.
ifeq ($(shell test -w "$$HOME" && echo yes),)
export XDG_CACHE_HOME ?= $(CURDIR)/.snakemake/cache
endif
$(foreach file,$(CONFIG),$(if $(wildcard $(file)),,$(error Error: CONFIG: $(file): no such file)))
$(if $(STUDY),$(if $(wildcard scripts/$(STUDY)/study.yaml),,$(error Error: STUDY: there is no study '$(STUDY)'; \
	there are $(sort $(patsubst scripts/%/study.yaml,%,$(wildcard scripts/*/study.yaml))))))
# --cores stands last: a target would count as one more value of the options before it.
TESTS := tests/$(STUDY) tests/claims tests/report tests/common/test_config.py tests/workflow/test_environments.py
# A path reaches the shell through the environment or in quotes: it may hold a blank or an apostrophe.
export RELEASED TABLE
export PLAN GENERATOR SEED DOSE
export PREDICTIONS LABEL PREDICTION ATTRIBUTES SCORE THRESHOLD POSITIVE ID COMPARE COMPARE_PREDICTION NAME
SNAKEMAKE := $(RUN) snakemake $(if $(CONFIG),--configfile $(foreach file,$(CONFIG),'$(subst ','\'',$(file))')) \
	$(if $(RELEASED),--config "released=$$RELEASED") --cores $(CORES)

.PHONY: install study tour figures describe audit augment release test test-faults faults bench docs citation lint lock unlock \
	clock clean help

help:  ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

# The stamp is written last, so a broken installation is taken up again. It is a copy of the lock: what it holds decides,
# not its date, which a clone with a linked environment makes older than the lock.
.venv/installed: envs/requirements.txt
	@if cmp -s $< $@; then touch -c $@ 2>/dev/null || true; else $(MAKE) --no-print-directory install; fi

install:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 12) else \
		"Error: Python 3.11 or 3.12 is needed, this is %d.%d; try: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(RUN) pip install --quiet --disable-pip-version-check --require-hashes -r envs/requirements.txt
	@cp envs/requirements.txt .venv/installed

study: .venv/installed  ## rebuild every study: download, train, measure, draw; STUDY=X for one, with its page
	$(SNAKEMAKE)$(if $(STUDY), $(STUDY) results/docs/studies/$(STUDY).md)

tour: .venv/installed  ## a first result in three minutes: one study on real data, from download to its page
	$(SNAKEMAKE) $(TOUR) results/docs/studies/$(TOUR).md
	@$(RUN) scripts.report.tour $(TOUR)

audit: .venv/installed  ## audit predictions of your own: PREDICTIONS=file.csv LABEL=.. PREDICTION=.. ATTRIBUTES=sex,race [SCORE=..] [COMPARE=second.csv]
	@$(RUN) scripts.audits.start --cores $(CORES) $(foreach file,$(CONFIG),--config '$(subst ','\'',$(file))')

augment: .venv/installed  ## add synthetic rows to a table: TABLE=adult PLAN=same_class GENERATOR=cart [ATTRIBUTES=sex] [SEED=1] [DOSE=1] [CONFIG=mine.yaml]
	@$(RUN) scripts.imbalance.augmenting.start --cores $(CORES) $(foreach file,$(CONFIG),--config '$(subst ','\'',$(file))')

figures: .venv/installed  ## redraw figures, tables and claims; with RELEASED=releases/preview from releases, without training
	$(SNAKEMAKE) figures

describe: .venv/installed  ## write a first draft of the description of your own table; TABLE=path.csv
	@$(RUN) scripts.data.describe_table "$$TABLE"

release: .venv/installed  ## pack the numbers of each study into results/release/X.zip, for releases/preview/
	$(SNAKEMAKE) release

test: .venv/installed  ## run all tests; STUDY=X for those of one study and what checks its files
	$(RUN) pytest -n 2 --dist loadfile $(if $(STUDY),$(TESTS))
	$(if $(STUDY),$(RUN) pytest tests/workflow/test_docs.py -k $(STUDY))

test-faults: .venv/installed  ## break runs in every way we know, and look at what is left
	$(RUN) pytest -m faults -n 2 --dist loadfile --no-loadscope-reorder tests/workflow/slurm tests/workflow/faults

faults: .venv/installed  ## the same, and renew the table of it (releases/faults.csv, docs/reliability.md)
	$(RUN) snakemake --cores 2 faults
	cp results/faults/faults.csv releases/faults.csv

bench: .venv/installed  ## measure speeds as ratios (results/bench/)
	$(RUN) snakemake --cores 1 bench

citation: .venv/installed  ## write CITATION.cff from the references of every study
	$(RUN) scripts.provenance.citation

docs: .venv/installed  ## put the newest results into docs/ and the front page
	$(SNAKEMAKE) docs

lint: .venv/installed  ## formatting and lint
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check Snakefile rules
	$(RUN) codespell_lib
	$(RUN) snakemake --lint

lock: .venv/installed  ## renew envs/requirements.txt from envs/requirements.in
	$(RUN) pip install --quiet uv
	$(RUN) uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --upgrade -o envs/requirements.txt envs/requirements.in

unlock: .venv/installed  ## after a crash: remove Snakemake's lock, then run make study again
	$(SNAKEMAKE) --unlock

clock:  ## after a clock was set back: date the files of the future back, in their order
	$(PYTHON) -m scripts.common.preflight

clean:  ## remove the results, keep the environment
	find -H results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf .snakemake
