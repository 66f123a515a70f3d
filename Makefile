# io3233: `make` lists what can be made. A relay needs Python 3.11 or newer; Debian's python3 and python3-venv will do.

RUNTIME = aiohttp==3.14.5 pynacl==1.6.2
EXTRA   = cryptography==50.0.2 brotli==1.2.0
OLDEST  = aiohttp==3.11.16 pynacl==1.5.0 cryptography==43.0.0 brotli==1.1.0
TESTS   = pytest==9.2.0 pytest-aiohttp==1.1.1 pytest-asyncio==1.5.0 hypothesis==6.170.15 pytest-xdist==3.8.0
CHECKS  = ruff==0.17.6 mypy==2.4.1
AXE     = axe-core@4.14.1

# Three processes, each with browsers of its own, and a class stays in one of them: tests wait more than they work. pytest-xdist gives
# the next class to the one that is done: runs begun by hand would wait for the part that takes longest.
BESIDE = -n 3 --dist loadscope

PYTHON     ?= python3
PREFIX     ?= /usr/local
LIBDIR      = $(PREFIX)/lib/io3233
UNITDIR    ?= /etc/systemd/system
DOCDIR      = $(PREFIX)/share/doc/io3233
STATEDIR    = /var/lib/io3233
ENVFILE     = /etc/io3233.env
# Not whatever python3 comes first in PATH: the unit's sandbox hides everything under /home and /root.
SYSTEM_PYTHON ?= /usr/bin/python3
# `make install VENV=no` runs on Debian 13's own python3-aiohttp and python3-nacl.
VENV ?= yes

RELAY_PYTHON = $(if $(filter no,$(VENV)),$(SYSTEM_PYTHON),$(LIBDIR)/venv/bin/python)

PIP_INSTALL = -m pip install --quiet --disable-pip-version-check
# Push takes the one, a smaller page the other: where one is not to be had, the relay does all else.
extra_install = $(foreach package,$(EXTRA),$(1) $(PIP_INSTALL) --only-binary :all: $(package) || \
	echo "There is no $(package) for this machine: the relay will run without it.";)

FRESH_ENV = sed "s|^JWT_SECRET=.*|JWT_SECRET=$$(head -c 48 /dev/urandom | base64 | tr -d '\n' | tr +/ -_)|" .env.example

.DELETE_ON_ERROR:
.PHONY: help run test test-webkit test-oldest check integrity pictures bench soak axe install uninstall clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/.runtime .env ## serve on http://127.0.0.1:3233 (make run BIND=0.0.0.0:3233 for your whole network)
	@$(if $(BIND),BIND='$(BIND)',grep -q '^BIND=' .env || BIND=127.0.0.1:3233); export BIND; exec .venv/bin/python relay.py

test: .venv/.tests ## run every test, and say why some were skipped and which took longest (make test ARGS="-k Tokens" for some)
	.venv/bin/python -m pytest $(or $(ARGS),$(BESIDE))

test-webkit: .venv/.tests ## run the core of the browser tests in WebKit (needs webkit2gtk-driver and xvfb)
	WEBKIT=1 REQUIRE_BROWSER=1 xvfb-run --auto-servernum .venv/bin/python -m pytest -k webkit $(ARGS)

test-oldest: .venv-oldest/.tests ## run the tests on the oldest aiohttp and PyNaCl that are supported (Debian 13's)
	.venv-oldest/bin/python -m pytest $(BESIDE) $(ARGS)

check: .venv/.checks ## format, lint, types, house rules, links, integrity attributes, JavaScript syntax
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy --strict --cache-dir .cache/mypy relay.py docs/deploy/takeover.py
	.venv/bin/python .ci/house.py
	.venv/bin/python .ci/integrity.py --check
	sh -n .ci/run
	@command -v node >/dev/null || { echo "no node here: the syntax of static/*.js is not checked"; exit 0; }; \
	for module in $$(find static -name "*.js" -not -path "static/vendor/*"); do node --input-type=module --check - < "$$module" || { echo "$$module"; exit 1; }; done

integrity: .venv/.runtime ## write the integrity attributes of static/index.html anew
	.venv/bin/python .ci/integrity.py

pictures: .venv/.tests ## take a picture of every view and state, into pictures/ (ARGS="--only phone-dark" for some)
	.venv/bin/python .ci/pictures.py $(ARGS)

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
	@$(call extra_install,.venv/bin/python)
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
	@umask 077 && $(FRESH_ENV) > $@.new && mv $@.new $@
	@echo "Made .env with a fresh secret: keep it, and keep it to yourself."

.cache/node_modules/axe-core/axe.min.js: Makefile
	@mkdir -p .cache
	npm install --prefix .cache --no-save --no-audit --no-fund --ignore-scripts $(AXE)
	@touch $@

# Everything is put together beside what runs, and then takes its place in one step: a failed download changes nothing.
# Of an earlier installation the settings and the data stay. Environments may be moved as long as only bin/python is used.
install: ## put the relay under $(PREFIX) with its systemd unit; again to upgrade (DESTDIR, VENV=no)
	@test "$$(id -u)" = 0 || test -n "$(DESTDIR)" || { echo "This writes to $(PREFIX) and /etc: sudo make install" >&2; exit 1; }
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "io3233 needs Python 3.11 or newer as $(SYSTEM_PYTHON): apt install python3, or name another with SYSTEM_PYTHON=" >&2; exit 1; }
	rm -rf $(DESTDIR)$(LIBDIR).new
	umask 022 && mkdir -p $(DESTDIR)$(LIBDIR).new && cp -RL relay.py static LICENSE $(DESTDIR)$(LIBDIR).new
ifeq ($(VENV),no)
	@$(SYSTEM_PYTHON) -c 'import aiohttp, nacl; assert tuple(map(int, aiohttp.__version__.split(".")[:3])) >= (3, 11, 16)' || { echo "VENV=no needs aiohttp 3.11.16 or newer and PyNaCl: apt install python3-aiohttp python3-nacl (Debian 13 or newer)" >&2; exit 1; }
	@$(SYSTEM_PYTHON) -c 'import cryptography' 2>/dev/null || echo "The relay will run without push, which takes: apt install python3-cryptography"
	@$(SYSTEM_PYTHON) -c 'import brotli' 2>/dev/null || echo "A first visit takes a sixth longer than with: apt install python3-brotli"
else
	umask 022 && $(SYSTEM_PYTHON) -m venv $(DESTDIR)$(LIBDIR).new/venv || { echo "On Debian: apt install python3-venv" >&2; exit 1; }
	umask 022 && $(DESTDIR)$(LIBDIR).new/venv/bin/python $(PIP_INSTALL) $(RUNTIME)
	@umask 022; $(call extra_install,$(DESTDIR)$(LIBDIR).new/venv/bin/python)
endif
	chmod -R a+rX,go-w $(DESTDIR)$(LIBDIR).new
	rm -rf $(DESTDIR)$(LIBDIR).old
	test ! -d $(DESTDIR)$(LIBDIR) || mv $(DESTDIR)$(LIBDIR) $(DESTDIR)$(LIBDIR).old
	mv $(DESTDIR)$(LIBDIR).new $(DESTDIR)$(LIBDIR)
	rm -rf $(DESTDIR)$(LIBDIR).old
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc $(DESTDIR)$(UNITDIR) $(DESTDIR)/etc
	sed 's|/usr/local/lib/io3233/venv/bin/python|$(RELAY_PYTHON)|; s|/usr/local|$(PREFIX)|g' io3233.service > $(DESTDIR)$(UNITDIR)/io3233.service
	sed 's|/usr/local/lib/io3233/venv/bin/python|$(RELAY_PYTHON)|; s|/usr/local|$(PREFIX)|g' docs/deploy/io3233 > $(DESTDIR)$(PREFIX)/bin/io3233
	chmod 644 $(DESTDIR)$(UNITDIR)/io3233.service && chmod 755 $(DESTDIR)$(PREFIX)/bin/io3233
	rm -rf $(DESTDIR)$(DOCDIR) && cp -R docs $(DESTDIR)$(DOCDIR) && chmod -R a+rX,go-w $(DESTDIR)$(DOCDIR)
	@test -e $(DESTDIR)$(ENVFILE) || { umask 077 && $(FRESH_ENV) > $(DESTDIR)$(ENVFILE).new && mv $(DESTDIR)$(ENVFILE).new $(DESTDIR)$(ENVFILE) && echo "Made $(ENVFILE) with a fresh secret."; }
	@chmod 600 $(DESTDIR)$(ENVFILE)
	@echo "Installed. Settings: $(ENVFILE). Data: $(STATEDIR)."
	@if test -z "$(DESTDIR)" && test -d /run/systemd/system && systemctl daemon-reload && systemctl --quiet is-active io3233; then \
		systemctl restart io3233 && echo "The relay was restarted."; \
	else echo "Start it now and with the machine: systemctl enable --now io3233"; fi

uninstall: ## remove what install put there and the backup timer, but not settings, data and copies
	@if test -z "$(DESTDIR)" && test -d /run/systemd/system; then for unit in io3233.service io3233-backup.timer; do \
		test ! -e $(UNITDIR)/$$unit || systemctl disable --now $$unit; done; fi
	rm -rf $(DESTDIR)$(LIBDIR) $(DESTDIR)$(LIBDIR).new $(DESTDIR)$(LIBDIR).old $(DESTDIR)$(DOCDIR)
	rm -f $(DESTDIR)$(PREFIX)/bin/io3233 $(DESTDIR)$(UNITDIR)/io3233.service $(DESTDIR)$(UNITDIR)/io3233-backup.service $(DESTDIR)$(UNITDIR)/io3233-backup.timer
	@if test -z "$(DESTDIR)" && test -d /run/systemd/system; then systemctl daemon-reload; fi
	@echo "Removed. Left for you: the settings with the secret in $(ENVFILE), identities and waiting mail in $(STATEDIR), copies of them in /var/backups/io3233."
	@echo "To delete those too: rm -r $(ENVFILE) /var/lib/private/io3233 $(STATEDIR) /var/backups/io3233"

clean: ## remove what make made here, but not .env and data.db
	rm -rf .venv .venv-oldest .cache pictures .hypothesis .mypy_cache .ruff_cache __pycache__
