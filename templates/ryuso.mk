# SPDX-License-Identifier: LGPL-2.1-or-later
# How a ryuso module is built: included by a project's Makefile, which sets MODULE and may set CFLAGS, CPPFLAGS, LDFLAGS,
# LDLIBS and TESTS (programs that `make check` runs, in the project's directory).
#
#   make           generates what is stale in gen/ and builds MODULE.so
#   make gen       generates only
#   make check     runs TESTS
#   make verify    lets ryuso-verify prove that every program can be undone
#   make install   puts the module where ryusod finds it: as MODULE-BUILDID.so, with a link MODULE.so to it
#   make clean     removes what make made, but for gen/

SPEC ?= ryu_spec.json
PKG_CONFIG ?= pkg-config
RYUSO_GEN ?= ryuso-gen
RYUSO_VERIFY ?= ryuso-verify
READELF ?= readelf
ifeq ($(origin RYUSO_CFLAGS),undefined)
RYUSO_CFLAGS := $(shell $(PKG_CONFIG) --cflags ryuso json-c)
endif
ifeq ($(origin RYUSO_LIBS),undefined)
RYUSO_LIBS := $(shell $(PKG_CONFIG) --libs ryuso json-c)
endif
ifeq ($(origin moduledir),undefined)
moduledir := $(shell $(PKG_CONFIG) --variable=moduledir ryuso)
endif

ryuso_sources := $(sort $(shell find hooks -name '*.c' 2>/dev/null)) gen/$(MODULE).c
ryuso_objects := $(ryuso_sources:%.c=build/%.o)
ryuso_compile = $(CC) -std=gnu11 -fPIC -fvisibility=hidden -ffile-prefix-map="$(CURDIR)"=. -I. $(RYUSO_CFLAGS) $(CPPFLAGS) \
	$(CFLAGS) -MMD -MP
ryuso_link = $(CC) -shared -Wl,--build-id=sha1 -Wl,--no-undefined -Wl,--version-script=build/$(MODULE).map $(CFLAGS) \
	$(LDFLAGS)

.PHONY: all gen check verify install clean FORCE
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

all: $(MODULE).so

# A spec that is newer is generated from again, before anything else: this file is a part of the makefile, so that make
# begins anew and sees what was generated. What comes out the same keeps its time.
build/generated.mk: $(SPEC)
	@mkdir -p build
	@command -v "$(RYUSO_GEN)" >/dev/null || \
		{ echo "$(RYUSO_GEN) is not there: install ryuso, or say make RYUSO_GEN=FILE" >&2; exit 1; }
	$(RYUSO_GEN) $(RYUSO_GENFLAGS) -s $(SPEC) -o .
	@touch $@

ifneq ($(MAKECMDGOALS),clean)
include build/generated.mk
endif

gen: build/generated.mk
	$(RYUSO_GEN) $(RYUSO_GENFLAGS) -s $(SPEC) -o .

# Where they were removed by hand.
gen/$(MODULE).c gen/$(MODULE).h:
	$(RYUSO_GEN) $(RYUSO_GENFLAGS) -s $(SPEC) -o .

build/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(ryuso_compile) -c -o $@ $<

# Only the descriptor is seen from outside, whatever CFLAGS or a library say.
build/$(MODULE).map: Makefile
	@mkdir -p build
	@echo '{ global: ryuso_module; local: *; };' >$@

# A source that went away makes the module stale, too.
build/sources: FORCE
	@mkdir -p build
	@echo $(ryuso_sources) | cmp -s - $@ || echo $(ryuso_sources) >$@

$(MODULE).so: $(ryuso_objects) build/$(MODULE).map build/sources
	$(ryuso_link) -o $@ $(ryuso_objects) $(LDLIBS) $(RYUSO_LIBS)

check: $(MODULE).so
	@test -n "$(strip $(TESTS))" || echo "$(MODULE): the Makefile names no TESTS"
	@set -e; for test in $(TESTS); do echo "$$test"; "./$$test"; done

verify: $(MODULE).so
	@command -v "$(RYUSO_VERIFY)" >/dev/null || \
		{ echo "$(RYUSO_VERIFY) is not there: install it, or say make RYUSO_VERIFY=FILE verify" >&2; exit 1; }
	$(RYUSO_VERIFY) ./$(MODULE).so

# A run is pinned to its build: builds stay beside each other, and the link is renamed into place. An old build is
# removed by hand, with rm, when no run wants it any more: not the one that the link leads to, and none that `ryusoctl
# show RUN` names of a run that `ryusoctl parked` lists. Stop the daemon first, or let it end what it runs.
install: $(MODULE).so
	@test -n "$(moduledir)" || { echo "where to? pkg-config knows no moduledir: say make moduledir=DIR install" >&2; exit 1; }
	@set -e; \
	id=$$(LC_ALL=C $(READELF) -n $(MODULE).so | sed -n 's/.*Build ID: *//p'); \
	test -n "$$id" || { echo "$(MODULE).so has no build id: nothing is installed" >&2; exit 1; }; \
	dir="$(DESTDIR)$(moduledir)"; \
	mkdir -p "$$dir"; \
	install -m 0644 $(MODULE).so "$$dir/.$(MODULE)-$$id.so.new"; \
	mv -f "$$dir/.$(MODULE)-$$id.so.new" "$$dir/$(MODULE)-$$id.so"; \
	ln -sfn $(MODULE)-$$id.so "$$dir/.$(MODULE).so.new"; \
	mv -fT "$$dir/.$(MODULE).so.new" "$$dir/$(MODULE).so"; \
	echo "$$dir/$(MODULE).so -> $(MODULE)-$$id.so"

clean:
	rm -rf build $(MODULE).so

FORCE:

-include $(ryuso_objects:.o=.d)
