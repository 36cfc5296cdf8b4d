# make demo   the embedded model, in an environment of its own (light core only)
# make test   everything that CI runs: lint, types, tests (torch and SeaweedFS included)
# make test-all   the long runs too
# make live   the two real seed models, over the internet

PYTHON ?= python3
DEMO := .venv-demo
DEV := .venv
PIP_FLAGS := --quiet --disable-pip-version-check
# Tests must not slow each other down: two workers on two cores, one inference thread pool each.
PYTEST := $(DEV)/bin/python -m pytest -n 2 --dist loadgroup

.PHONY: demo test test-all lint types browser live bench clean

demo: export HUBCLIENT_CACHE = $(DEMO)/cache
demo: $(DEMO)/.installed
	$(DEMO)/bin/hub pull en/bert_tiny_sequence_classifier_sst2
	$(DEMO)/bin/hub predict en/bert_tiny_sequence_classifier_sst2 "I really liked that movie!" "The plot made no sense at all."

test: lint types browser
	$(PYTEST) -m "not slow and not live"

test-all: lint types browser
	$(PYTEST) -m "not live"

live: $(DEV)/.installed
	$(DEV)/bin/python -m pytest -m live tests/live

lint: $(DEV)/.installed
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .

types: $(DEV)/.installed
	$(DEV)/bin/mypy

# The pages are tried in Debian's Chromium; where it cannot be installed, those tests are skipped, and say so.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	  && apt-get install -y -qq --no-install-recommends chromium; } || echo "NO CHROMIUM: THE PAGES ARE NOT TRIED IN A BROWSER" >&2

bench: $(DEV)/.installed
	for program in bench/[a-z]*.py; do $(DEV)/bin/python $$program || exit 1; done

$(DEMO)/.installed: pyproject.toml
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install $(PIP_FLAGS) .
	touch $@

$(DEV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/python -m pip install $(PIP_FLAGS) --upgrade "pip>=25.1"
	$(DEV)/bin/python -m pip install $(PIP_FLAGS) --constraint constraints.txt --group test --editable ".[all]"
	touch $@

clean:
	rm -rf $(DEMO) $(DEV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
