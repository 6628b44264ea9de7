# `make run` serves the chat, `make teach` shows its wire too, `make test` shows that it is right.

HOST := $(shell rustc -vV | sed -n 's/^host: //p')
MUSL := $(subst gnu,musl,$(HOST))
# The musl target where it is installed, else the host's own C library: both link statically.
STATIC := $(shell [ -d "$$(rustc --print target-libdir --target $(MUSL) 2>/dev/null)" ] && echo $(MUSL) || echo $(HOST))

# A Python 2.7 that runs, if there is one: the Autobahn testsuite was written for it.
PYTHON2 := $(firstword $(shell for p in python2.7 $(HOME)/.pyenv/versions/2.7*/bin/python2.7; do \
	$$p -c 0 2>/dev/null && command -v $$p; done))

.PHONY: run teach test static conformance fuzz tools soak bench

run:
	cargo run --release --

# The chat with all of the wire to see: each frame bit by bit in the page, and in a line in the terminal.
teach:
	cargo run --release -- --inspect --trace

test:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items
	cargo build --release
	$(MAKE) static
	cargo test
	cargo test --release --lib --test hostile

# One binary that needs nothing of the machine it is copied to.
static:
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --target $(STATIC) --target-dir target/static
	ln -f target/static/$(STATIC)/release/wirechat target/wirechat-static
	@ls -l target/wirechat-static

# The register of RFC 6455, row by row, with the test that shows each.
conformance:
	cargo test --test rfc6455 -- --table

# Looks for inputs that break src/wire, SECONDS for each target; the ones that are known are tests.
fuzz:
	tests/fuzz/run $(or $(SECONDS),60)

# Some hundred clients of all kinds for so many seconds.
soak:
	SOAK_SECONDS=$(or $(SECONDS),600) cargo test --release --test soak -- --nocapture

# The server and its peers at the same work, in a quarter of an hour; QUICK=1 for a look in two minutes.
bench:
	tests/bench/run $(if $(QUICK),quick)

# The clients and judges that some tests talk to; without them those tests say that they are skipped.
tools:
	python3 -m venv target/tools
	target/tools/bin/pip install --quiet websockets==17.4 kosoku==0.1.0 selenium==4.51.0
	npm install --silent --no-save --no-package-lock --prefix target/tools ws@8.23.0
ifneq ($(PYTHON2),)
	target/tools/bin/pip install --quiet virtualenv==20.21.1
	target/tools/bin/virtualenv --quiet --python $(PYTHON2) target/autobahn
	target/autobahn/bin/pip install --quiet --no-python-version-warning autobahntestsuite==0.8.2
endif
