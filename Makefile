# The front door. `make` alone lists what there is.

RUN := .venv/bin
UV ?= uv
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --only-binary :all: \
	--emit-build-options --generate-hashes --no-emit-index-url --no-config \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help install demo journey check test sabotage chaos bench lock clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

install:  ## Everything for checks and tests into .venv
	@sh config/requirements/install.sh dev

demo:  ## Try it: make demo [PORT=8080] [LMS_PORT=8081] [DATA=.demo] [PUPILS=4]
	@exec ./demo $(if $(PORT),--port $(PORT)) $(if $(LMS_PORT),--lms-port $(LMS_PORT)) $(if $(DATA),--data "$(DATA)") $(if $(PUPILS),--pupils $(PUPILS))

journey:  ## The main job, step by step, without a browser [LMS_PORT=8081 of a running demo]
	@sh config/requirements/install.sh run
	@$(RUN)/gustav journey $(if $(LMS_PORT),--lms-port $(LMS_PORT))

# Tests start hundreds of processes, and what those load is to be compiled once.
export PYTHONDONTWRITEBYTECODE :=

check: install  ## Format, lint, types, who imports whom, translations
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/python .ci/translations.py

test: install  ## The whole suite; brings its own PostgreSQL
	$(RUN)/pytest

sabotage: install  ## Remove one check after another: each must turn a test red (about five minutes)
	$(RUN)/python -m tests.sabotage

chaos: install  ## A lesson in which everything breaks: make chaos [SEED=1] [MINUTES=1] (about three minutes)
	$(RUN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

bench: install  ## How fast launches are, beside others in the same run, pictures, memory, drafts, waiting pupils, a slow phone, a lesson at the model [SECONDS=60 of the open loop]
	@$(RUN)/python -m tests.bench $(if $(SECONDS),--seconds $(SECONDS))
	@$(RUN)/python -m tests.bench.pictures
	@$(RUN)/python -m tests.bench.memory
	@$(RUN)/python -m tests.bench.drafts
	@$(RUN)/python -m tests.bench.live
	@$(RUN)/python -m tests.bench.page
	@$(RUN)/python -m tests.bench.lanes

lock:  ## Renew the pinned requirements (needs uv)
	@command -v $(UV) >/dev/null || { echo "Es fehlt uv: make lock UV=/pfad/zu/uv" >&2; exit 1; }
	$(LOCK) --upgrade pyproject.toml --override config/requirements/overrides.txt -o config/requirements/run.txt
	$(LOCK) --upgrade --group dev -c config/requirements/run.txt -o config/requirements/dev.txt
	$(LOCK) --upgrade config/requirements/build.in -o config/requirements/build.txt

clean:  ## Remove what can be made again (keeps the demo's data in .demo)
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find lti_tool feedback_engine config tests -name __pycache__ -type d -exec rm -rf {} +
	find lti_tool -name '*.mo' -delete
