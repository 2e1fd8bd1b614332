# make demo · make test · make check · make bench: each sets up what it needs by itself.
PY := .venv/bin/python

.PHONY: help setup install demo test check format lint types imports unit bench bench-sync bench-window bench-neighbours bench-search \
        bench-search-languages bench-search-speed fuzz-packs policy-files simulate package-linux package-linux-twice try-deb \
        package-windows package-windows-wine package-windows-wine-twice try-windows-wine \
        screenshots pictures sample test-slow test-postgres clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup:  ## the virtual environment and Qt's system libraries, where missing
	@packaging/setup.sh

install: setup  ## .venv/bin/hubshelf and .venv/bin/hubshelf-hub

sample: setup  ## the sample library with its PDFs, in build/sample
	@$(PY) packaging/sample.py build/sample

demo: sample  ## a hub with the sample library, a desktop enrolled with it, and its window
	@$(PY) packaging/demo.py

test: setup sample format lint types imports unit  ## everything that must pass

check: setup lint types  ## the quick form for work in progress
	@$(PY) -m pytest -q -x -m "not slow" tests/sync tests/resources_cache

format: setup
	@.venv/bin/ruff format --check .

lint: setup
	@.venv/bin/ruff check .

types: setup
	@.venv/bin/mypy

imports: setup
	@.venv/bin/lint-imports

unit: setup sample
	@packaging/setup.sh --tests
	@QT_QPA_PLATFORM=offscreen $(PY) -m pytest -m "not slow" -n 3 --dist loadfile --no-loadscope-reorder

test-slow: setup sample  ## long campaigns: every byte, every instant, long random histories
	@QT_QPA_PLATFORM=offscreen $(PY) -m pytest -m slow

test-postgres: setup  ## the hub's tests on the PostgreSQL that DATABASE_URL names
	@test -n "$(DATABASE_URL)" || { echo "Set DATABASE_URL=postgres://user@host/database first." >&2; exit 1; }
	@$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[postgres]'
	@$(PY) -m pytest -m "not slow" tests/hub/test_planes.py tests/hub/test_models.py tests/hub/test_import_native.py \
		tests/hub/test_import_formats.py tests/hub/test_admin.py tests/hub/test_publishing_feeds.py \
		tests/hub/test_publishing_costs.py tests/hub/test_sync_v2.py tests/hub/test_member_streams.py \
		tests/hub/test_inlining.py tests/hub/test_vocabularies.py

bench-search-languages: setup  ## what a vocabulary does for searches in another language; build/bench/search-languages.json
	@$(PY) -m tests.bench.search_languages $(BENCH)

simulate: setup  ## random histories with every fault, in virtual time (SEEDS=50000, FIRST=1)
	@$(PY) -m tests.simulation --seeds $(or $(SEEDS),50000) --first $(or $(FIRST),1)

fuzz-packs: setup  ## hostile packs at random, ten minutes (SECONDS=600, FIRST=1); what they start from is kept in build/pack-fuzz
	@HUBSHELF_KEYRING=off $(PY) -m tests.sync.pack_fuzz --bases build/pack-fuzz --seconds $(or $(SECONDS),600) \
		--first $(or $(FIRST),1)

bench: setup sample  ## benchmarks; the table goes to the screen and to build/bench/
	@QT_QPA_PLATFORM=offscreen $(PY) -m tests.bench.run

bench-window: setup  ## the window on 100,000 resources: start, memory, frames, counts, freezes (BENCH='--library FILE')
	@$(PY) -c "import wordfreq" 2>/dev/null || $(PY) -m pip install --quiet wordfreq
	@$(PY) -m tests.bench.window_large $(BENCH)

bench-sync: setup  ## what the wire carries over bad links (BENCH='--only t2,t3'); build/bench/sync.json
	@$(PY) -c "import wordfreq" 2>/dev/null || $(PY) -m pip install --quiet wordfreq
	@$(PY) -m tests.bench.sync_run $(BENCH)

bench-neighbours: setup  ## an office's desktops on one thin link, in network namespaces (root; BENCH='--desktops 1,3')
	@$(PY) -c "import wordfreq" 2>/dev/null || $(PY) -m pip install --quiet wordfreq
	@$(PY) -m tests.bench.neighbours $(BENCH)

bench-search: setup  ## how good the answers of the search are (BENCH='--only cisi'); build/bench/search-quality.json
	@$(PY) -m tests.bench.search_quality $(BENCH)

bench-search-speed: setup  ## how fast the search is, and how large (BENCH='--size 100000')
	@$(PY) -c "import wordfreq" 2>/dev/null || $(PY) -m pip install --quiet wordfreq
	@$(PY) -m tests.bench.search_speed $(BENCH)

policy-files: setup  ## what is made from the table of policies: schema, docs, the template for Windows
	@$(PY) packaging/policy_files.py

screenshots: setup sample  ## every page, light and dark, in three languages, in build/screenshots
	@$(PY) packaging/demo.py --screenshots build/screenshots

pictures: setup sample  ## every page in six languages, light and dark, two sizes, two sizes of text, in build/pictures
	@$(PY) packaging/demo.py --every-look --screenshots build/pictures

package-linux: setup  ## the .deb, the .tar.zst and the list of what is in them, in build/packages
	@QT_QPA_PLATFORM=offscreen $(PY) packaging/package_linux.py $(PACKAGE)

package-linux-twice: setup  ## two builds of this commit, compared byte for byte
	@QT_QPA_PLATFORM=offscreen $(PY) packaging/package_linux.py --twice $(PACKAGE)

try-deb: setup sample  ## the .deb in a bare Debian 12: install, enrol, sync, search, window, upgrade, purge (root)
	@QT_QPA_PLATFORM=offscreen $(PY) packaging/try_deb.py $(DEB)

package-windows:  ## on Windows: the installer, the .zip and the list of what is in them, in build/packages
	@python packaging/package_windows.py $(PACKAGE)

package-windows-wine: setup  ## the same under Wine, for trying
	@QT_QPA_PLATFORM=offscreen $(PY) packaging/package_windows.py --wine $(PACKAGE)

package-windows-wine-twice: setup  ## two builds for Windows of this commit, compared byte for byte
	@QT_QPA_PLATFORM=offscreen $(PY) packaging/package_windows.py --wine --twice $(PACKAGE)

try-windows-wine: package-windows-wine sample  ## the installer in a Windows by Wine: install, preload, search, sync, window, upgrade, uninstall
	@QT_QPA_PLATFORM=offscreen $(PY) packaging/try_windows.py

clean:  ## everything that was made
	rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
