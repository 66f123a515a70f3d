# io3233: `make` lists what can be made. A relay needs Python 3.11 or newer; Debian's python3 and python3-venv will do.

RUNTIME = aiohttp==3.14.5 pynacl==1.6.2
OLDEST  = aiohttp==3.11.16 pynacl==1.5.0
TESTS   = pytest==9.2.0 pytest-aiohttp==1.1.1 pytest-asyncio==1.5.0 hypothesis==6.170.15
CHECKS  = ruff==0.17.6 mypy==2.4.1
AXE     = axe-core@4.14.1

PYTHON     ?= python3
PREFIX     ?= /usr/local
LIBDIR      = $(PREFIX)/lib/io3233
UNITDIR    ?= /etc/systemd/system
STATEDIR    = /var/lib/io3233
ENVFILE     = /etc/io3233.env
# Not whatever python3 comes first in PATH: the unit's sandbox hides everything under /home and /root.
SYSTEM_PYTHON ?= /usr/bin/python3
# `make install VENV=no` runs on Debian 13's own python3-aiohttp and python3-nacl.
VENV ?= yes

PIP_INSTALL = -m pip install --quiet --disable-pip-version-check

.DELETE_ON_ERROR:
.PHONY: help run test test-oldest check integrity bench soak axe install uninstall clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/.runtime .env ## serve on http://127.0.0.1:3233 (make run BIND=0.0.0.0:3233 for your whole network)
	@set -a; BIND=127.0.0.1:3233; . ./.env; $(if $(BIND),BIND='$(BIND)';) exec .venv/bin/python relay.py

test: .venv/.tests ## run every test (make test ARGS="-k Tokens" for some)
	.venv/bin/python -m pytest $(ARGS)

test-oldest: .venv-oldest/.tests ## run the tests on the oldest aiohttp and PyNaCl that are supported (Debian 13's)
	.venv-oldest/bin/python -m pytest $(ARGS)

check: .venv/.checks ## format, lint, types, house rules, links, integrity attributes, JavaScript syntax
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy --strict --cache-dir .cache/mypy relay.py docs/deploy/takeover.py
	.venv/bin/python .ci/house.py
	.venv/bin/python .ci/integrity.py --check
	sh -n .ci/run
	@command -v node >/dev/null || { echo "no node here: the syntax of static/*.js is not checked"; exit 0; }; \
	for module in static/*.js; do node --input-type=module --check - < "$$module" || { echo "$$module"; exit 1; }; done

integrity: .venv/.runtime ## write the integrity attributes of static/index.html anew
	.venv/bin/python .ci/integrity.py

bench: .venv/.tests ## measure the relay and its peers, and write docs/BENCHMARKS.md
	.venv/bin/python docs/bench/bench.py $(ARGS)

soak: .venv/.tests ## 20 minutes of load, crashes and backups; counts what was lost (ARGS= for its options)
	.venv/bin/python docs/bench/soak.py $(ARGS)

axe: .cache/node_modules/axe-core/axe.min.js

# The target of each stamp is an environment with at least those packages; a changed pin makes it anew.
.venv/.runtime: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "io3233 needs Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP_INSTALL) $(RUNTIME)
	@touch $@

.venv/.tests: .venv/.runtime
	.venv/bin/python $(PIP_INSTALL) $(TESTS)
	@touch $@

.venv/.checks: .venv/.tests
	.venv/bin/python $(PIP_INSTALL) $(CHECKS)
	@touch $@

.venv-oldest/.tests: Makefile
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python $(PIP_INSTALL) $(OLDEST) $(TESTS)
	@touch $@

# Whole or not at all, and never readable by others, not even while it is written.
.env:
	@umask 077 && sed "s|^JWT_SECRET=.*|JWT_SECRET=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(48))')|" .env.example > $@.new && mv $@.new $@
	@echo "Made .env with a fresh secret: keep it, and keep it to yourself."

.cache/node_modules/axe-core/axe.min.js: Makefile
	@mkdir -p .cache
	npm install --prefix .cache --no-save --no-audit --no-fund --ignore-scripts $(AXE)
	@touch $@

clean: ## remove what make made here, but not .env and data.db
	rm -rf .venv .venv-oldest .cache __pycache__
