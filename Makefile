# `make run` and `make test` need Python 3.11 to 3.13, git and make; each does only what is missing.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
# `make setup EXTRAS="slurm s3"` adds them; later calls keep them, and `make setup EXTRAS=` removes them.
KNOWN := slurm s3 ssh
EXTRAS := $(shell cat .extras 2>/dev/null)
$(if $(filter-out $(KNOWN),$(EXTRAS)),$(error EXTRAS is "$(EXTRAS)"; choose from: $(KNOWN); `make setup EXTRAS=` removes them))
SERVE ?= yes
IN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.PHONY: FORCE setup test-cluster run test test-all check check-parts report plan table explore use update parts docs keep-results reproduce bench campaign docs-site lock clean-checkpoints help

run: $(READY)  ## run the active study and print its results, on all cores or CORES=2
	@$(IN) python -m pipeline_steps run $(if $(CORES),--cores $(CORES))

setup: $(READY)  ## set up .venv without a run; EXTRAS="slurm s3 ssh" adds a cluster's executor and remotes

test: $(READY)  ## run the tests, except those marked slow, which repeat a mechanism that a quicker test covers
	@$(IN) python -m pytest -n 2 --dist worksteal -m "not slow"

test-all: $(READY)  ## run all tests, the slow ones too
	@$(IN) python -m pytest -n 2 --dist worksteal

test-cluster:  ## run a study on a real Slurm of one node, which kills, cancels and edits; needs root, as in a container
	@$(MAKE) --no-print-directory setup EXTRAS="$(sort slurm $(EXTRAS))"
	@$(IN) python -m tests.cluster

check: $(READY)  ## formatting, lints, types
	@$(IN) ruff format --check .
	@$(IN) ruff check .
	@$(IN) snakefmt --check Snakefile workflow
	@$(IN) mypy

# A part that cannot be imported, or returns another shape, fails most tests; these say so in a sentence.
FIRST := tests/study/test_parts.py::test_every_part_can_be_imported \
	tests/models/test_contracts.py::test_every_part_returns_the_shapes_of_its_contract
check-parts: $(READY)  ## run the contract tests on your own parts, those in parts/
	@$(IN) python -m pytest -n 0 --own-parts -x --tb=short -rN $(FIRST)
	@$(IN) python -m pytest -n 2 --dist worksteal --own-parts --tb=short -rs $(FIRST:%=--deselect=%) \
		tests/models tests/study tests/data/sets tests/metrics tests/evaluation

report: $(READY)  ## write a partial report from the runs that exist
	@$(IN) python -m pipeline_steps.report --partial

plan: $(READY)  ## say what the study will cost: jobs, hours, disk
	@$(IN) python -m pipeline_steps.plan

table: $(READY)  ## print the study's results
	@$(IN) python -m pipeline_steps.table

explore: $(READY)  ## open the explorer of the study's trained models
	@$(IN) python -m pipeline_steps.explore

use: $(READY)  ## make STUDY the active one; QUICK=1: with its quick overlay; SOURCE=folder: data from there
	@$(IN) python -m pipeline_steps.use $(STUDY) $(if $(QUICK),--quick) $(if $(SOURCE),--source "$(SOURCE)")

update: $(READY)  ## add the keys that params.yaml lacks, with their defaults, after an update of vaeline
	@$(IN) python -m pipeline_steps.update

parts: $(READY)  ## write docs/keys.md, every key of a study and of every part, and print it
	@$(IN) python -m pipeline_steps.parts

keep-results: $(READY)  ## keep the results of the active study, or of STUDY, in docs/results, from which pages take their numbers
	@$(IN) python -m pipeline_steps.keep_results $(STUDY)

docs: $(READY)  ## render the results and the verdicts on claims that README.md and the pages of docs/ show
	@$(IN) python -m pipeline_steps.docs

reproduce: $(READY)  ## hold published results against ours, all or ROWS="vae iwae_5"; MINUTES=60, SOURCE=folder, FRACTION=0.1, KEEP=1
	@$(IN) python -m pipeline_steps.reproduce $(ROWS) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(SOURCE),--source "$(SOURCE)") $(if $(FRACTION),--fraction $(FRACTION)) $(if $(KEEP),--keep)

bench: $(READY) benchmarks/.venv/.ready  ## race against the peers, all or ROWS="frechet step"; KEEP=1 writes docs/performance.md
	@$(IN) python -m benchmarks $(if $(KEEP),--keep) $(ROWS)

campaign: $(READY)  ## look for wrong results that pass as right, for MINUTES=30: kills, damage, swaps, edits, mutated inputs
	@$(IN) python -m tests.campaign --minutes $(or $(MINUTES),30)

docs-site: $(READY)  ## build the site of the documentation into build/site and show it on this machine; SERVE= only builds
	@$(IN) NO_MKDOCS_2_WARNING=1 python -m mkdocs build --quiet
	@$(if $(SERVE),$(IN) python -m http.server --bind 127.0.0.1 --directory build/site 8000)

clean-checkpoints: $(READY)  ## delete the checkpoints of all trainings
	@$(IN) python -m pipeline_steps.clean_checkpoints

# A lock has the hashes of every file that may be installed, and no address of an index.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
# All extras are resolved together, so that none changes a version of another; the lock of an extra has what it adds.
IN_BASE := --extra pipeline --extra explorer
JOINT := .extras.lock
ADDED := awk -F == '/^[^ ]/ {keep = NR != FNR && !($$1 in base); if (NR == FNR) base[$$1]} keep'
lock:  ## update requirements.lock and those of the extras from pyproject.toml, and the locks of uv and of the benchmarks
	@cat requirements.lock $(KNOWN:%=requirements-%.lock) >$(JOINT) 2>/dev/null || true
	@$(COMPILE) --group dev --all-extras pyproject.toml --output-file $(JOINT)
	@$(COMPILE) --constraint $(JOINT) --group dev $(IN_BASE) pyproject.toml --output-file requirements.lock
	@for extra in $(KNOWN); do $(COMPILE) --constraint $(JOINT) $(IN_BASE) --extra $$extra pyproject.toml | \
		$(ADDED) requirements.lock - >requirements-$$extra.lock || exit 1; done; rm $(JOINT)
	@awk '/^[^ ]/ {keep = !/^scipy==/} keep' requirements.lock >$(JOINT)  # a peer needs an older SciPy
	@$(COMPILE) --constraint $(JOINT) benchmarks/requirements.in --output-file benchmarks/requirements.lock; rm $(JOINT)
	@uv --version | sed 's/uv \([0-9.]*\).*/uv==\1/' | $(COMPILE) --output-file requirements-uv.lock -

help:  ## list the targets
	@echo "make <target>, such as \`make run\`:"
	@awk -F ':.*##  *' '/^[a-z-]+:.*##/ {printf "  %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# For a target that does not exist.
.DEFAULT:
	@$(PYTHON) -c 'import difflib, sys; came, *known = sys.argv[1:]; near = " or ".join(difflib.get_close_matches(came, known)); \
		sys.exit(f"There is no target {came}" + (f"; did you mean {near}?" if near else "; `make help` lists them."))' \
		$@ $$(sed -n 's/^\([a-z-]*\):.*##.*/\1/p' $(firstword $(MAKEFILE_LIST)))

# If the machine has no uv, pip installs the version of requirements-uv.lock into .uv. The pip is that of the Python from which
# .venv was made, because .venv has none.
$(READY): requirements.lock $(EXTRAS:%=requirements-%.lock) pyproject.toml .extras
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo 'vaeline needs Python 3.11 to 3.13; choose one with `make PYTHON=python3.12`' >&2; exit 1; }
	@[ -x $(VENV)/bin/python ] || echo 'Setting up .venv, which takes some minutes.' >&2
	@uv=$$(command -v uv || echo .uv/bin/uv); \
	base=$$($(PYTHON) -c 'import sys; print(sys.base_prefix)')/bin/python3; \
	[ -x "$$uv" ] || $$base -m pip install --quiet --disable-pip-version-check --target .uv --require-hashes \
		--requirement requirements-uv.lock || \
		{ echo "uv is missing, and pip could not install it; install uv and try again" >&2; exit 1; }; \
	[ -x $(VENV)/bin/python ] || "$$uv" venv --quiet --python $(PYTHON) --no-python-downloads $(VENV) || exit 1; \
	VIRTUAL_ENV=$(VENV) "$$uv" pip sync --quiet --compile-bytecode --require-hashes requirements.lock \
		$(EXTRAS:%=requirements-%.lock) && \
	echo "$(CURDIR)" > $$($(VENV)/bin/python -c 'import site; print(site.getsitepackages()[0])')/vaeline.pth && \
	printf '#!/bin/sh\nexec "%s/bin/python" -m pipeline_steps "$$@"\n' "$(CURDIR)/$(VENV)" >$(VENV)/bin/vaeline && \
	chmod +x $(VENV)/bin/vaeline && touch $@

FORCE: ;

# The extras of .venv, for the next call.
.extras: FORCE
	@echo "$(EXTRAS)" | cmp -s - $@ || echo "$(EXTRAS)" >$@

benchmarks/.venv/.ready: benchmarks/requirements.lock $(READY)
	@uv=$$(command -v uv || echo $(CURDIR)/.uv/bin/uv); cd $(@D)/.. && \
	{ [ -x .venv/bin/python ] || "$$uv" venv --quiet --python $(CURDIR)/$(VENV)/bin/python .venv; } && \
	VIRTUAL_ENV=.venv "$$uv" pip sync --quiet --compile-bytecode --require-hashes requirements.lock && touch .venv/.ready
