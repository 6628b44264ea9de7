# `make run` starts the chat server, `make teach` also shows its frames, `make test` runs all tests.

HOST := $(shell rustc -vV | sed -n 's/^host: //p')
MUSL := $(subst gnu,musl,$(HOST))
# The musl target if it is installed, otherwise the C library of the host: both link statically.
STATIC := $(shell [ -d "$$(rustc --print target-libdir --target $(MUSL) 2>/dev/null)" ] && echo $(MUSL) || echo $(HOST))

# A working Python 2.7, if there is one: the Autobahn testsuite requires it.
PYTHON2 := $(firstword $(shell for p in python2.7 $(HOME)/.pyenv/versions/2.7*/bin/python2.7; do \
	$$p -c 0 2>/dev/null && command -v $$p; done))

.PHONY: run teach test static conformance fuzz tools soak bench

run:
	cargo run --release --

# Starts the chat and shows each frame: bit by bit in the page, and as one line in the terminal.
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

# Builds one static binary that needs no libraries on the target machine.
static:
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --target $(STATIC) --target-dir target/static
	ln -f target/static/$(STATIC)/release/wirechat target/wirechat-static
	@ls -l target/wirechat-static

# Prints each requirement of RFC 6455 with the tests that show it and the result.
conformance:
	cargo test --test rfc6455 -- --table

# Searches for inputs that break src/wire, for SECONDS per target; known inputs are part of `make test`.
fuzz:
	tests/fuzz/run $(or $(SECONDS),60)

# Runs several hundred clients of all kinds for SECONDS.
soak:
	SOAK_SECONDS=$(or $(SECONDS),600) cargo test --release --test soak -- --nocapture

# Compares the server with its peers in about 15 minutes; QUICK=1 takes two minutes and measures less.
bench:
	tests/bench/run $(if $(QUICK),quick)

# Installs the clients and test suites that some tests use; without them these tests report that they are
# skipped.
tools:
	python3 -m venv target/tools
	target/tools/bin/pip install --quiet websockets==17.4 kosoku==0.1.0 selenium==4.51.0
	npm install --silent --no-save --no-package-lock --prefix target/tools ws@8.23.0
ifneq ($(PYTHON2),)
	target/tools/bin/pip install --quiet virtualenv==20.21.1
	target/tools/bin/virtualenv --quiet --python $(PYTHON2) target/autobahn
	target/autobahn/bin/pip install --quiet --no-python-version-warning autobahntestsuite==0.8.2
endif
