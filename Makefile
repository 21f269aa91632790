# Understanding Optimizers. Needs Python 3.11 or newer and make; everything else is installed into .venv.
.DEFAULT_GOAL := help
.PHONY: help book test serve pdf epub lab bench claims portable constraints clean lint

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
# Another index for torch. On Linux the default one has the build for CUDA, some gigabytes; README.md names a small one.
TORCH_INDEX ?=
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
  $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
# One thread for each process: results do not depend on the number of cores, and two processes do not fight for them.
export OMP_NUM_THREADS ?= 1
# Checked by ruff and codespell besides the folders of Python.
PROSE := chapters exercises/quizzes README.md CONTRIBUTING.md CHANGELOG.md

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: $(VENV)/installed ## Build the site into _build/html (installs what it needs into .venv)
	@$(BIN)/python -m tools.build_book

serve: book ## Serve the built site on this machine, at port $PORT (8000)
	@echo "Serving the course at http://localhost:$(PORT)/ (stop with Ctrl-C)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

pdf: $(VENV)/installed-test book ## Print the whole course into one PDF, _build/understanding-optimizers.pdf
	@$(BIN)/python -m tools.take_away

epub: $(VENV)/installed-test book ## Write the whole course into one EPUB, _build/understanding-optimizers.epub
	@$(BIN)/python -m tools.epub

lab: $(VENV)/installed ## Open the chapters in JupyterLab, as copies in workspace/ that keep your edits
	@$(BIN)/python -m tools.workspace
	@$(BIN)/jupyter lab --notebook-dir=workspace

test: $(VENV)/installed-test lint ## Run every check: style, spelling, library, exercises, notebooks, site
	@$(BIN)/python -m tools.build_book
	@$(BIN)/pytest --numprocesses 2 --dist loadscope

lint: $(VENV)/installed-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell $(PROSE) optim_lib experiments exercises tools tests benchmarks book
	@$(BIN)/python -m tools.notebooks check chapters

bench: $(VENV)/installed-test ## Measure the library against torch.optim and optax, and the site's speed
	@mkdir -p _build
	@env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/pytest benchmarks --quiet --benchmark-only \
	  --benchmark-json=_build/benchmarks.json --benchmark-columns=min,median,rounds --benchmark-sort=name; status=$$?; \
	$(BIN)/python -m tools.build_book && $(BIN)/python -m tools.measure_lab; $(BIN)/python -m tools.measure_site && exit $$status

claims: $(VENV)/installed ## Recompute the claims ledger
	@$(BIN)/python -m experiments.ch12 --cache _build/claims/runs
	@$(BIN)/python -m experiments.claims

portable: $(VENV)/installed-test ## Run what is stored and compared as other processors would: it must be the same
	@$(BIN)/python -m tools.portable

constraints: $(VENV)/installed-test ## Write constraints.txt afresh: the newest version of all that is needed
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --no-annotate --upgrade \
	  --no-emit-package understanding-optimizers --custom-compile-command "make constraints" \
	  --output-file constraints.txt requirements-test.txt

clean: ## Remove all that was built, the environment and the site; your workspace/ stays
	rm -rf _build $(VENV) *.egg-info .pytest_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Making the environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/pyvenv.cfg requirements.txt constraints.txt pyproject.toml
	@echo "Installing the course (once; some minutes) ..."
	@$(PIP_INSTALL) --requirement requirements.txt
	@touch $@

$(VENV)/installed-test: $(VENV)/installed requirements-test.txt
	@echo "Installing the tools of the tests ..."
	@$(PIP_INSTALL) --requirement requirements-test.txt
	@touch $@
