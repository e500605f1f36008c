# Builds, tests and installs IFSFS. `make help` names the targets.

MOUNT_LINKS = mount.ifs mount.fuse.ifs umount.ifs umount.fuse.ifs
TOOL_LINKS = dumpifs ifsctl mkifs
# The commands that can write their own completions.
COMPLETED = dumpifs ifsctl mkifs mount.ifs umount.ifs

PREFIX ?= /usr/local
DESTDIR ?=
# Where mount(8) looks for its helpers; empty installs none.
HELPERDIR ?= /sbin

SWIFT ?= swift
BUILD_FLAGS ?= -c release --static-swift-stdlib
FUZZ_SECONDS ?= 60
export SWIFT FUZZ_SECONDS LONG

built = .build/release
bindir = $(DESTDIR)$(PREFIX)/bin
helpers = $(if $(HELPERDIR),$(addprefix $(DESTDIR)$(HELPERDIR)/,$(MOUNT_LINKS)))
share = $(DESTDIR)$(PREFIX)/share
pages = $(wildcard man/*.[1-9])
page_home = $(share)/man/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
bash_home = $(share)/bash-completion/completions/$(1)
zsh_home = $(share)/zsh/site-functions/_$(1)
fish_home = $(share)/fish/vendor_completions.d/$(1).fish
sources = $(wildcard Sources Tests Fuzz) Package.swift

.PHONY: build demo test bench fuzz tsan install uninstall clean lint format help swift-found packages

build: packages ## Build the tools into .build/release (the default)
	$(SWIFT) build $(BUILD_FLAGS) --product ifsfs
	$(SWIFT) build $(BUILD_FLAGS) --product ifs-tools
	@# Hard links: whoever resolves the name still finds the tool that it names.
	@for name in $(MOUNT_LINKS); do ln -f $(built)/ifsfs $(built)/$$name || exit; done
	@for name in $(TOOL_LINKS); do ln -f $(built)/ifs-tools $(built)/$$name || exit; done

demo: build ## Show the tools at work on an image and a card
	@scripts/apt-packages run demo
	@scripts/demo

test: build ## Run every test; ARGS="--filter NAME" runs some
	@scripts/apt-packages run test
	scripts/test $(ARGS)

bench: build ## Measure, beside squashfuse; ARGS="--quick", ARGS="--list", ARGS="ROW..."
	@scripts/apt-packages run bench
	@scripts/bench $(ARGS)

# With LONG=1 and no ARGS, the tests that can go on for hours do so for a while.
long_tests = $(if $(LONG),$(if $(ARGS),,yes))
fuzz: packages $(if $(long_tests),build) ## Fuzz each parser FUZZ_SECONDS (60) long; LONG=1: 600, two at a time, and long tests
	@scripts/apt-packages fuzz $(if $(long_tests),run test)
	@scripts/fuzz $(ARGS)
	$(if $(long_tests),IFSFS_LONG=1 scripts/test --filter "StagedModel|RandomFile|PowerCut|KillTests")

tsan: build ## Run the mount's tests under the thread sanitizer
	@scripts/apt-packages run test
	scripts/tsan $(ARGS)

# sudo has neither the user's PATH nor business in .build: under it, what was built is installed.
install: $(if $(and $(SUDO_USER),$(wildcard $(built)/ifsfs)),,build) ## Install under PREFIX, for mount(8) in HELPERDIR
	install -D -s -m755 -t $(bindir) $(built)/ifsfs $(built)/ifs-tools
	for name in $(MOUNT_LINKS); do ln -sf ifsfs $(bindir)/$$name || exit; done
	for name in $(TOOL_LINKS); do ln -sf ifs-tools $(bindir)/$$name || exit; done
	$(if $(helpers),mkdir -p $(DESTDIR)$(HELPERDIR))
	$(foreach helper,$(helpers),ln -sf $(abspath $(PREFIX))/bin/ifsfs $(helper) &&) true
	$(foreach page,$(pages),install -D -m644 $(page) $(call page_home,$(page)) &&) true
	mkdir -p $(dir $(call bash_home,x) $(call zsh_home,x) $(call fish_home,x))
	$(foreach tool,$(COMPLETED),$(call completions,$(tool)) &&) true

completions = $(foreach shell,bash zsh fish,\
	$(built)/$(1) --generate-completion-script $(shell) > $(call $(shell)_home,$(1)) &&) true

uninstall: ## Remove what install put there (same PREFIX, DESTDIR, HELPERDIR)
	rm -f $(addprefix $(bindir)/,ifsfs ifs-tools $(MOUNT_LINKS) $(TOOL_LINKS)) $(helpers)
	rm -f $(foreach page,$(pages),$(call page_home,$(page)))
	rm -f $(foreach tool,$(COMPLETED),$(foreach shell,bash zsh fish,$(call $(shell)_home,$(tool))))

clean: ## Remove everything built
	rm -rf .build Fuzz/.build

lint: swift-found ## Check the formatting
	$(SWIFT) format lint --strict -r $(sources)

format: swift-found ## Format the sources in place
	$(SWIFT) format -i -r $(sources)

help: ## Name the targets
	@sed -n 's/^\([a-z]*\):.* ## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

found = $(shell $(SWIFT) --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p')
new_enough = $(shell printf '6.2\n%s\n' '$(1)' | sort -VC && echo yes)

swift-found:
	$(if $(call new_enough,$(found)),,$(error Swift 6.2 or newer is missing (found: $(or $(found),none)), \
	https://www.swift.org/install/linux/ has it))
	@:

packages: swift-found
	@scripts/apt-packages build
