# Everything sets itself up: Python 3.11 or newer and make are all that has to be there.

.DEFAULT_GOAL := help
.PHONY: help install demo test faults check bench schema lock

python := .venv/bin/python
# With the demo's settings; and beside a database of its own, deleted afterwards.
with_settings := $(python) -m dev.environment -- $(python)
with_database := $(python) -m dev.stack run --throwaway -- $(with_settings)
# Two first `make`s at once would build one environment together.
one_at_a_time := $(if $(shell command -v flock),flock Makefile)

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.* ## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '  %-14s %s\n' "$$name" "$$what"; done

install: ## Make .venv with the locked dependencies (the others do it by themselves)
	@$(one_at_a_time) sh -c '$(install)'

demo: install ## Run everything here with made-up patients, till Ctrl-C; CHECK=1: play it through and judge it
	@$(python) -m dev.demo $(if $(CHECK),--check)

test: install ## Run the tests; ARGS="-k name" chooses among them
	@$(python) -m pytest $(ARGS)

check: install ## Look for slips without running: lint, types, layers, migrations, the OpenAPI document
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(with_settings) -m mypy
	$(python) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(with_settings) manage.py check --fail-level WARNING
	$(with_database) manage.py makemigrations --check --dry-run
	@new=$$(mktemp) && trap 'rm -f "$$new"' EXIT && \
	$(with_settings) manage.py spectacular --validate --fail-on-warn --file "$$new" && \
	{ diff -u api/openapi.yaml "$$new" || \
	{ echo 'api/openapi.yaml is not what the code says: if that is meant, run make schema.' >&2; exit 1; }; }

faults: install ## Let each fault strike twenty times, then all together, and count (10 min); SOAK_SECONDS=600 for a longer storm
	@SOAK_SECONDS=$(or $(SOAK_SECONDS),60) SOAK_SEED=$(SOAK_SEED) $(python) -m pytest -m soak -vv tests/faults tests/property $(ARGS)

bench: install ## Measure on many rows what must stay quick
	@$(python) -m tests.bench $(ARGS)

schema: install ## Write api/openapi.yaml from the code
	$(with_settings) manage.py spectacular --validate --fail-on-warn --file api/openapi.yaml

lock: install ## Write requirements*.txt from pyproject.toml (needs the network)
	$(lock) -o requirements.txt
	$(lock) --group dev -o requirements-dev.txt

lock := $(python) -m uv pip compile -q --generate-hashes --python-version 3.11 --universal \
	--no-emit-index-url --no-header pyproject.toml

# What was installed is kept in .venv as the last step: without it, as after an interruption, the
# environment is made anew, for pip can't mend a half-written package.
define install
set -e; done=.venv/installed-requirements.txt; \
if cmp -s requirements-dev.txt $$done && $(python) -c "" 2>/dev/null; then exit 0; fi; \
umask 022; found=; \
if ! [ -f $$done ] || ! $(python) -c "" 2>/dev/null; then \
	for candidate in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
		if "$$candidate" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then \
			found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Dosecircle needs Python 3.11 or newer, and there is none ($(or $(PYTHON),python3):" \
			"$$($(or $(PYTHON),python3) -V 2>&1 | tail -n 1)): install one, or name it, as in make PYTHON=python3.12" >&2; \
		exit 2; fi; \
	if ! "$$found" -c "import venv, ensurepip" 2>/dev/null; then \
		echo "$$found lacks its venv module. On Debian or Ubuntu: apt install" \
			"$$("$$found" -c "import sys; print(\"python%d.%d-venv\" % sys.version_info[:2])")" >&2; \
		exit 2; fi; \
	echo "Making .venv with $$("$$found" -V) ..."; \
	"$$found" -m venv --clear .venv; \
fi; \
rm -f $$done; \
echo "Installing the dependencies ..."; \
$(python) -m pip install -q --disable-pip-version-check --no-input --root-user-action=ignore \
	--require-hashes -r requirements-dev.txt; \
cp requirements-dev.txt $$done
endef
