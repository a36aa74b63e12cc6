# make               the extension, for the PostgreSQL of PG_CONFIG
# make install       installs it
# make install-vector-stub   an extension "vector" for servers without pgvector, in its names; uninstall-vector-stub removes it
# make mg            build/mg, the command-line workbench over the same library
# make unit          build/unit/*, the unit tests; `prove -e "" build/unit` runs them
# make bench         build/bench/*, programs that measure; run them on a quiet machine
# make fuzz          build/fuzz/*: programs that replay corpora; with FUZZER=1 CC=clang libFuzzer targets, in build-fuzz/
#
# SANITIZE=1 builds mg, unit and fuzz with AddressSanitizer and UBSan into build-sanitize/.

EXTENSION = maskgen
EXTVERSION = 0.2.0
MODULE_big = maskgen

LAYERS = core tensor text format template model arch task vector hnsw learn
LIB_SOURCES = $(foreach layer,$(LAYERS),$(sort $(wildcard src/$(layer)/*.c)))
PG_SOURCES = $(sort $(wildcard src/pg/*.c src/pg/*/*.c))
OBJS = $(LIB_SOURCES:.c=.o) $(PG_SOURCES:.c=.o)

SQL_FRAGMENTS = $(sort $(wildcard sql/[0-9]*.sql))
# What 0.1.0 has not, not even under another name, stands in fragments from 60 on; an update takes them whole.
UPDATE_FRAGMENTS = sql/from-0.1.0.sql $(filter sql/6% sql/7% sql/8% sql/9%,$(SQL_FRAGMENTS))
DATA_built = sql/$(EXTENSION)--$(EXTVERSION).sql sql/$(EXTENSION)--0.1.0--$(EXTVERSION).sql
DATA = $(filter-out $(DATA_built),$(wildcard sql/$(EXTENSION)--*.sql))

# The server opens extensions with RTLD_GLOBAL, and the first of two symbols of one name is what both libraries get. So nothing is
# exported but what the server looks up by name; the rest, and with -Bsymbolic that too, is bound to our own when it is linked.
SHLIB_EXPORTS = src/pg/exports.gen.txt
LIBRARIES = -lutf8proc -lpthread -ldl -lm
SHLIB_LINK = $(LIBRARIES) $(if $(filter darwin,$(PORTNAME)),,-Wl,-Bsymbolic)

# Results may not depend on whether a compiler fuses a multiplication and an addition: kernels ask for it by name.
WARNINGS = -Wall -Wextra -Werror -Wno-declaration-after-statement
PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = $(WARNINGS) -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -ffp-contract=off

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=maskgen

EXTRA_CLEAN = build build-sanitize build-fuzz build-aarch64 src/arch/list.gen.h $(SHLIB_EXPORTS) $(DATA_built) $(wildcard sql/vector--*.sql)

override with_llvm := no
PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

sql/$(EXTENSION)--$(EXTVERSION).sql: $(SQL_FRAGMENTS)
	cat $^ > $@

sql/$(EXTENSION)--0.1.0--$(EXTVERSION).sql: $(UPDATE_FRAGMENTS)
	cat $^ > $@

# An extension "vector" in place of pgvector: the same types and functions under its names. Asked for by name alone, for it is not ours.
STUB = sql/vector-stub
STUB_VERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(STUB)/vector.control)
STUB_SCRIPT = sql/vector--$(STUB_VERSION).sql
STUB_DIR = $(DESTDIR)$(datadir)/extension
$(STUB_SCRIPT): $(STUB)/head.sql $(wildcard sql/1[0-4]-*.sql) $(STUB)/names.sql
	sed 's/"+maskgen"\.//g' $(filter sql/1%,$^) | cat $(STUB)/head.sql - $(STUB)/names.sql > $@

.PHONY: install-vector-stub uninstall-vector-stub check-vector-stub
check-vector-stub:
	@for file in $(STUB_DIR)/vector.control $(STUB_DIR)/vector--*.sql $(DESTDIR)$(pkglibdir)/vector.so; do \
		if test -e "$$file" && ! grep -q maskgen "$$file"; then echo "\"$$file\" is pgvector's: nothing is changed" >&2; exit 1; fi; done
install-vector-stub: check-vector-stub $(STUB_SCRIPT)
	$(MKDIR_P) '$(STUB_DIR)'
	$(INSTALL_DATA) $(STUB)/vector.control $(STUB_SCRIPT) '$(STUB_DIR)/'
uninstall-vector-stub: check-vector-stub
	rm -f '$(STUB_DIR)/vector.control' '$(STUB_DIR)/vector--$(STUB_VERSION).sql'

# The C functions that a script names, released ones too, and those that the server's workers begin with.
WORKERS = src/pg/hnsw/parallel.c src/pg/column/worker.c
SCRIPTS = $(SQL_FRAGMENTS) sql/from-0.1.0.sql $(DATA)
$(SHLIB_EXPORTS): $(SCRIPTS) $(WORKERS) Makefile
	@printf '%s\n' Pg_magic_func _PG_init > $@
	@sed -n "s/.*'MODULE_PATHNAME', '\([a-z0-9_]*\)'.*/\1/p" $(SCRIPTS) | sort -u | sed 'p; s/^/pg_finfo_/' >> $@
	@sed -n 's/^PGDLLEXPORT.* \([a-z0-9_]*\)(.*/\1/p' $(WORKERS) >> $@
maskgen.so: Makefile
# PGXS has the name that awk had where the server was built, and makes the list of exports with it.
AWK = awk

# Dropping a file into src/arch registers the architecture.
ARCHES = $(filter-out registry,$(patsubst src/arch/%.c,%,$(sort $(wildcard src/arch/*.c))))
src/arch/list.gen.h: $(wildcard src/arch/*.c) Makefile
	@printf 'MG_ARCH(%s)\n' $(ARCHES) > $@
src/arch/registry.o: src/arch/list.gen.h

# Headers are few: any change of one rebuilds all.
HEADERS = $(wildcard src/*/*.h src/*/*/*.h)
$(OBJS): $(HEADERS)

# The library without a server, and its callers.
BUILD = build$(if $(FUZZER),-fuzz,$(if $(SANITIZE),-sanitize))
HOSTED_CFLAGS = -std=gnu11 -g $(if $(SANITIZE),-O1 -fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer,-O2) \
	$(WARNINGS) -Wmissing-prototypes -ffp-contract=off -D_GNU_SOURCE -I src -I test
comma = ,
# A fuzzer without sanitizers sees crashes alone: make fuzz FUZZER=1 SANITIZE=1 CC=clang
FUZZ_CFLAGS = $(if $(FUZZER),-fsanitize=fuzzer-no-link)
FUZZ_LINK = $(if $(FUZZER),-fsanitize=fuzzer)

LIB_OBJECTS = $(LIB_SOURCES:src/%.c=$(BUILD)/lib/%.o)
CLI_OBJECTS = $(patsubst src/%.c,$(BUILD)/%.o,$(sort $(wildcard src/cli/*.c)))
UNIT_TESTS = $(patsubst test/unit/%.c,$(BUILD)/unit/%.t,$(sort $(wildcard test/unit/*/*.c)))
BENCHES = $(patsubst bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard bench/*.c)))
FUZZERS = $(patsubst test/fuzz/%.c,$(BUILD)/fuzz/%,$(filter-out test/fuzz/replay.c,$(sort $(wildcard test/fuzz/*.c))))

$(BUILD)/lib/%.o: src/%.c $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(HOSTED_CFLAGS) $(FUZZ_CFLAGS) -c $< -o $@
$(BUILD)/lib/arch/registry.o: src/arch/list.gen.h
$(BUILD)/cli/%.o: src/cli/%.c $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(HOSTED_CFLAGS) -c $< -o $@
$(BUILD)/libmg.a: $(LIB_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^
$(BUILD)/mg: $(CLI_OBJECTS) $(BUILD)/libmg.a
	$(CC) $(HOSTED_CFLAGS) $^ $(LIBRARIES) -o $@
$(BUILD)/unit/%.t: test/unit/%.c $(wildcard test/unit/*.h test/unit/*/*.h) $(BUILD)/cli/host.o $(BUILD)/libmg.a
	@mkdir -p $(@D)
	$(CC) $(HOSTED_CFLAGS) $< $(BUILD)/cli/host.o $(BUILD)/libmg.a $(LIBRARIES) -o $@
$(BUILD)/bench/%: bench/%.c $(BUILD)/cli/host.o $(BUILD)/libmg.a
	@mkdir -p $(@D)
	$(CC) $(HOSTED_CFLAGS) $< $(BUILD)/cli/host.o $(BUILD)/libmg.a $(LIBRARIES) -o $@
$(BUILD)/fuzz/%: test/fuzz/%.c test/fuzz/replay.c $(wildcard test/fuzz/*.h test/unit/*.h) $(BUILD)/cli/host.o $(BUILD)/libmg.a
	@mkdir -p $(@D)
	$(CC) $(HOSTED_CFLAGS) $(FUZZ_LINK) $< $(if $(FUZZER),,test/fuzz/replay.c) $(BUILD)/cli/host.o $(BUILD)/libmg.a $(LIBRARIES) -o $@

.PHONY: mg unit bench fuzz
mg: $(BUILD)/mg
unit: $(UNIT_TESTS)
bench: $(BENCHES)
fuzz: $(FUZZERS)
