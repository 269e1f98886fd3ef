# make build   the five commands, into bin/
# make demo    corpus -> shards -> run -> pictures -> text, into demo/
# make test    all tests
# make test-beam  those of engine/beam, whose first build takes minutes
# make lint    formatting, vet, staticcheck
# make page    internal/page/dist, what the browser gets, from internal/page/web; needs node
# make test-page  those of the page, in headless Chromium
# make race    tests of the concurrent packages under the race detector
# make fmt     rewrite the files as make lint wants them
# make fuzz    every fuzz target, FUZZTIME each
# make man     docs/man, the man pages, from what the commands say of themselves
# make install binaries, man pages and completions below PREFIX (/usr/local), in DESTDIR
# make bench   everything under bench/
# make smoke   the demo with a few steps, into a temporary directory

GO       ?= go
PREFIX   ?= /usr/local
DEMO     ?= demo
FUZZTIME ?= 30s

# The demo is trained for real; smoke overrides these to pass through in a minute.
DEMO_TRAIN  ?= --minutes 3 --length 64 --batch 16 --set optim.micro_batch=16
DEMO_SAMPLE ?= --n 3 --steps 100

COMMANDS := prep train inspect sample eval

.PHONY: build install demo smoke test test-beam test-page page race lint fmt man fuzz bench

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ $(COMMANDS:%=./cmd/%)

share := $(DESTDIR)$(PREFIX)/share
install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(share)/man/man1 $(share)/bash-completion/completions $(share)/zsh/site-functions $(share)/fish/vendor_completions.d
	install $(COMMANDS:%=bin/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 docs/man/*.1 $(share)/man/man1
	for c in $(COMMANDS); do \
		bin/$$c completion bash > $(share)/bash-completion/completions/$$c && \
		bin/$$c completion zsh > $(share)/zsh/site-functions/_$$c && \
		bin/$$c completion fish > $(share)/fish/vendor_completions.d/$$c.fish || exit; \
	done

demo: build
	rm -rf $(DEMO)/shards $(DEMO)/run
	mkdir -p $(DEMO)
	bin/prep shard testdata/tinyshakespeare/input.txt -o $(DEMO)/shards --tokenizer train:bpe:1024 --split-docs blank --val 0.1
	bin/train --stream $(DEMO)/shards -o $(DEMO)/run $(DEMO_TRAIN)
	bin/inspect warp $(DEMO)/run --png $(DEMO)/warp.png
	bin/inspect embeddings $(DEMO)/run --png $(DEMO)/embeddings.png
	bin/inspect run $(DEMO)/run --png $(DEMO)/run.png
	bin/inspect warp $(DEMO)/run
	bin/sample $(DEMO)/run $(DEMO_SAMPLE)
	bin/sample $(DEMO)/run $(DEMO_SAMPLE) --prompt "ROMEO:"

smoke:
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(MAKE) --no-print-directory demo DEMO="$$dir" DEMO_TRAIN="--preset nano --steps 20" DEMO_SAMPLE="--n 1 --steps 4"

test:
	$(GO) test ./...

# A module of its own, with Apache Beam: engine/beam/run does the same on Flink.
test-beam:
	cd engine/beam && $(GO) vet ./... && $(GO) test ./...

# A module of its own as well, with what drives a browser.
test-page:
	cd internal/page/browsertest && $(GO) vet ./... && $(GO) test -count 1 ./...

# What it builds is committed, so that nobody needs node to build the commands.
page:
	cd internal/page/web && npm ci --no-audit --no-fund && npm run check && npm run build

# The packages with goroutines of their own.
race:
	$(GO) test -race -short ./pipeline/... ./trainer/... ./internal/kernels/... ./internal/safeio/... ./internal/cli/...

lint:
	@unformatted=$$($(GO) tool -modfile=tools.mod gofumpt -l $$(git ls-files '*.go')) || exit; \
	if [ -n "$$unformatted" ]; then printf 'not formatted (run make fmt):\n%s\n' "$$unformatted" >&2; exit 1; fi
	$(GO) vet ./...
	$(GO) tool -modfile=tools.mod staticcheck ./...

fmt:
	$(GO) tool -modfile=tools.mod gofumpt -w $$(git ls-files '*.go')

man:
	TEXTWARP_MAN=write $(GO) test -count 1 -run TestManual $(COMMANDS:%=./cmd/%)

# go test takes one fuzz target at a time.
fuzz:
	@set -e; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

bench: build
	@set -e; for run in bench/*/run; do echo "== $$run"; "$$run"; done
