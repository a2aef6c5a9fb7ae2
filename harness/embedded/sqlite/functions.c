#include "meter.h"

#include <string.h>

// The SQLite functions used here.
typedef struct sqlite3_stmt sqlite3_stmt;
typedef struct sqlite3_context context;
typedef struct sqlite3_value value;

int sqlite3_create_function_v2(sqlite3 *, const char *, int, int, void *, void (*)(context *, int, value **),
	void (*)(context *, int, value **), void (*)(context *), void (*)(void *));
int sqlite3_create_window_function(sqlite3 *, const char *, int, int, void *, void (*)(context *, int, value **),
	void (*)(context *), void (*)(context *), void (*)(context *, int, value **), void (*)(void *));
int sqlite3_prepare_v2(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
int sqlite3_bind_value(sqlite3_stmt *, int, const value *);
int sqlite3_step(sqlite3_stmt *);
int sqlite3_reset(sqlite3_stmt *);
int sqlite3_clear_bindings(sqlite3_stmt *);
int sqlite3_finalize(sqlite3_stmt *);
value *sqlite3_column_value(sqlite3_stmt *, int);
const char *sqlite3_errmsg(sqlite3 *);
int sqlite3_limit(sqlite3 *, int, int);
int sqlite3_strlike(const char *, const char *, unsigned);
int sqlite3_strglob(const char *, const char *);
int sqlite3_value_type(value *);
unsigned sqlite3_value_subtype(value *);
int sqlite3_create_collation_v2(sqlite3 *, const char *, int, void *,
	int (*)(void *, int, const void *, int, const void *), void (*)(void *));
int sqlite3_value_bytes(value *);
const unsigned char *sqlite3_value_text(value *);
const void *sqlite3_value_blob(value *);
i64 sqlite3_value_int64(value *);
void *sqlite3_user_data(context *);
sqlite3 *sqlite3_context_db_handle(context *);
void *sqlite3_aggregate_context(context *, int);
void sqlite3_result_value(context *, value *);
void sqlite3_result_int(context *, int);
void sqlite3_result_int64(context *, i64);
void sqlite3_result_blob(context *, const void *, int, void (*)(void *));
void sqlite3_result_subtype(context *, unsigned);
void sqlite3_result_error(context *, const char *, int);
void sqlite3_result_error_nomem(context *);
void sqlite3_result_error_toobig(context *);
void *sqlite3_malloc(int);
void sqlite3_free(void *);

enum {
	ROW = 100,
	NOMEM = 7,
	TOOBIG = 18,
	TYPE_NULL = 5,
	LIMIT_LENGTH = 0,
	LIMIT_PATTERN = 8,
	TYPE_TEXT = 3,
	// UTF8, DETERMINISTIC and INNOCUOUS, as SQLite's own are.
	PURE = 1 | 0x800 | 0x200000,
	UNSURE = 1 | 0x200000,
	RESULT_SUBTYPE = 0x1000000,
};

// A counted function replaces one of SQLite's own and charges its cost first.
typedef struct counted {
	const char *name;
	int args;
	i64 (*cost)(int, value **);
	const char *sql; // calls SQLite's own function
	int json;        // it returns JSON
} counted;

// A binding is a counted function of one connection.
typedef struct binding {
	const counted *function;
	sqlite3 *aside;
	sqlite3_stmt *asked; // 0 until the function is first called
} binding;

static i64 length(value *v) { return sqlite3_value_type(v) == TYPE_NULL ? 0 : sqlite3_value_bytes(v); }

// product is the cost of comparing each byte of one value with each byte of another.
static i64 product(int n, value **v) { return length(v[0]) * length(v[1]) / BYTES_PER_STEP; }

// patched is the cost of merging JSON: a search and an allocation for each label.
static i64 patched(int n, value **v) { return length(v[0]) * length(v[1]) / 100; }

// search is the cost of a naive substring search: the number of bytes compared.
static i64 search(int n, value **v) {
	i64 size = length(v[0]), sought = length(v[1]), compared = size;
	if (sought == 0 || size < sought) return 0;
	if (size * sought < LARGE) return size * sought / BYTES_PER_STEP;
	// Not sqlite3_value_text: that would convert a blob to text for later readers.
	const unsigned char *in = sqlite3_value_blob(v[0]), *what = sqlite3_value_blob(v[1]);
	if (in == 0 || what == 0) return size;
	for (i64 at = 0; at + sought <= size; at++) {
		i64 same = 0;
		while (same < sought && in[at + same] == what[same]) same++;
		compared += same;
		if (compared / BYTES_PER_STEP > LARGE) {
			if (!meter_charge(2 * compared / BYTES_PER_STEP)) return 0;
			compared = 0;
		}
	}
	return 2 * compared / BYTES_PER_STEP;
}

// sizes is the cost of reading every argument once.
static i64 sizes(int n, value **v) {
	i64 size = 0;
	for (int i = 0; i < n; i++) size += length(v[i]);
	return size / BYTES_PER_STEP;
}

// parsed is the cost of parsing JSON: SQLite's own function gets a copy and cannot use its cache.
static i64 parsed(int n, value **v) { return 4 * sizes(n, v); }

static const counted everywhere[] = {
	{"instr", 2, search, "SELECT instr(?, ?)", 0},
	{"replace", 3, search, "SELECT replace(?, ?, ?)", 0},
	{"trim", 2, product, "SELECT trim(?, ?)", 0},
	{"ltrim", 2, product, "SELECT ltrim(?, ?)", 0},
	{"rtrim", 2, product, "SELECT rtrim(?, ?)", 0},
	{"unhex", 2, product, "SELECT unhex(?, ?)", 0},
	{"json_patch", 2, patched, "SELECT json_patch(?, ?)", 1},
	{"jsonb_patch", 2, patched, "SELECT jsonb_patch(?, ?)", 0},
	{"like", 3, product, "SELECT like(?, ?, ?)", 0},
};

// For writers only: readers also have a time limit, which is enough for linear functions.
static const counted written[] = {
	{"substr", 2, sizes, "SELECT substr(?, ?)", 0},
	{"substr", 3, sizes, "SELECT substr(?, ?, ?)", 0},
	{"substring", 2, sizes, "SELECT substring(?, ?)", 0},
	{"substring", 3, sizes, "SELECT substring(?, ?, ?)", 0},
	{"json_extract", 2, parsed, "SELECT json_extract(?, ?)", 1},
	{"->", 2, parsed, "SELECT ? -> ?", 1},
	{"->>", 2, parsed, "SELECT ? ->> ?", 0},
	{"json_type", 1, parsed, "SELECT json_type(?)", 0},
	{"json_type", 2, parsed, "SELECT json_type(?, ?)", 0},
	{"json_valid", 1, parsed, "SELECT json_valid(?)", 0},
	{"json_valid", 2, parsed, "SELECT json_valid(?, ?)", 0},
	{"json_array_length", 1, parsed, "SELECT json_array_length(?)", 0},
	{"json_array_length", 2, parsed, "SELECT json_array_length(?, ?)", 0},
};

static void spent(context *c) { sqlite3_result_error(c, "too many steps", -1); }

static int bind_all(binding *b, int n, value **v) {
	int rc = b->asked ? 0 : sqlite3_prepare_v2(b->aside, b->function->sql, -1, &b->asked, 0);
	for (int i = 0; i < n && rc == 0; i++) rc = sqlite3_bind_value(b->asked, i + 1, v[i]);
	return rc;
}

// answer returns the result of SQLite's own function.
static void answer(context *c, binding *b, int rc) {
	if (rc == ROW) {
		sqlite3_result_value(c, sqlite3_column_value(b->asked, 0));
		if (b->function->json) sqlite3_result_subtype(c, sqlite3_value_subtype(sqlite3_column_value(b->asked, 0)));
	} else if (rc == NOMEM) {
		sqlite3_result_error_nomem(c);
	} else if (rc == TOOBIG) {
		sqlite3_result_error_toobig(c);
	} else {
		sqlite3_result_error(c, sqlite3_errmsg(b->aside), -1);
	}
}

static void ask(context *c, int n, value **v) {
	binding *b = sqlite3_user_data(c);
	if (!meter_charge(b->function->cost(n, v) + LARGE / BYTES_PER_STEP)) return spent(c);
	meter_aside(1);
	sqlite3_limit(b->aside, LIMIT_LENGTH, sqlite3_limit(sqlite3_context_db_handle(c), LIMIT_LENGTH, -1));
	int rc = bind_all(b, n, v);
	if (rc == 0) rc = sqlite3_step(b->asked);
	meter_aside(-1);
	answer(c, b, rc);
	meter_aside(1);
	sqlite3_reset(b->asked);
	sqlite3_clear_bindings(b->asked);
	meter_aside(-1);
}

// pattern_costs charges the cost of a pattern: with a multi-character wildcard, the whole pattern
// may be compared at each byte.
static int pattern_costs(context *c, value **v, char many) {
	int pattern = sqlite3_value_bytes(v[0]), text = sqlite3_value_bytes(v[1]);
	if (pattern > sqlite3_limit(sqlite3_context_db_handle(c), LIMIT_PATTERN, -1)) {
		sqlite3_result_error(c, "LIKE or GLOB pattern too complex", -1);
		return 0;
	}
	const void *wild = memchr(sqlite3_value_text(v[0]), many, pattern);
	if (meter_charge((wild ? (i64)pattern * text : pattern) / BYTES_PER_STEP)) return 1;
	spent(c);
	return 0;
}

static int no_text(value **v) { return sqlite3_value_text(v[0]) == 0 || sqlite3_value_text(v[1]) == 0; }

static void like(context *c, int n, value **v) {
	if (no_text(v) || !pattern_costs(c, v, '%')) return;
	sqlite3_result_int(c, sqlite3_strlike((const char *)sqlite3_value_text(v[0]), (const char *)sqlite3_value_text(v[1]), 0) == 0);
}

static void glob(context *c, int n, value **v) {
	if (no_text(v) || !pattern_costs(c, v, '*')) return;
	sqlite3_result_int(c, sqlite3_strglob((const char *)sqlite3_value_text(v[0]), (const char *)sqlite3_value_text(v[1])) == 0);
}

// draw returns the next number of PCG-DXSM (https://dotat.at/@/2023-06-21-pcg64-dxsm.html).
static uint64_t draw(prng *c) {
	const unsigned __int128 times = (unsigned __int128)2549297995355413924u << 64 | 4865540595714422341u;
	const unsigned __int128 plus = (unsigned __int128)6364136223846793005u << 64 | 1442695040888963407u;
	unsigned __int128 state = ((unsigned __int128)c->high << 64 | c->low) * times + plus;
	c->high = state >> 64;
	c->low = (uint64_t)state;
	uint64_t high = c->high;
	high ^= high >> 32;
	high *= 0xda942042e4dd58b5u;
	high ^= high >> 48;
	return high * (c->low | 1);
}

static void random_number(context *c, int n, value **v) { sqlite3_result_int64(c, (i64)draw(sqlite3_user_data(c))); }

static void random_blob(context *c, int n, value **v) {
	i64 size = sqlite3_value_int64(v[0]);
	if (size < 1) size = 1;
	if (size > sqlite3_limit(sqlite3_context_db_handle(c), LIMIT_LENGTH, -1)) return sqlite3_result_error_toobig(c);
	unsigned char *blob = sqlite3_malloc(size);
	if (blob == 0) return sqlite3_result_error_nomem(c);
	for (i64 at = 0; at < size; at += 8) {
		uint64_t drawn = draw(sqlite3_user_data(c));
		for (int i = 0; i < 8 && at + i < size; i++) blob[at + i] = drawn >> 8 * i;
	}
	sqlite3_result_blob(c, blob, size, sqlite3_free);
}

// count_characters replaces length(), which in SQLite is free of charge because it allocates
// nothing.
static void count_characters(context *c, int n, value **v) {
	int type = sqlite3_value_type(v[0]);
	if (type == TYPE_NULL) return;
	int size = sqlite3_value_bytes(v[0]);
	if (type != TYPE_TEXT) return sqlite3_result_int(c, size);
	if (!meter_charge(size / BYTES_PER_STEP)) return spent(c);
	const unsigned char *text = sqlite3_value_text(v[0]);
	int characters = 0;
	if (text == 0) return sqlite3_result_error_nomem(c);
	// As in SQLite: up to a NUL, and continuation bytes belong to a byte from 0xc0.
	while (*text) {
		characters++;
		if (*text++ >= 0xc0) {
			while ((*text & 0xc0) == 0x80) text++;
		}
	}
	sqlite3_result_int(c, characters);
}

// NOCASE, charged like a function.
static int fold(unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c; }

static int nocase(void *arg, int n, const void *a, int m, const void *b) {
	const unsigned char *x = a, *y = b;
	int shorter = n < m ? n : m, i = 0;
	meter_charge(shorter / BYTES_PER_STEP);
	while (i < shorter && x[i] != 0 && fold(x[i]) == fold(y[i])) i++;
	int difference = i < shorter ? fold(x[i]) - fold(y[i]) : 0;
	return difference ? difference : n - m;
}

// zeroblob allocates its zeros. SQLite's own stores only a length and shifts the cost to the
// consumer.
static void zeroblob(context *c, int n, value **v) {
	i64 size = sqlite3_value_int64(v[0]);
	if (size < 0) size = 0;
	if (size > sqlite3_limit(sqlite3_context_db_handle(c), LIMIT_LENGTH, -1)) return sqlite3_result_error_toobig(c);
	void *zeros = sqlite3_malloc(size ? size : 1);
	if (zeros == 0) return sqlite3_result_error_nomem(c);
	sqlite3_result_blob(c, memset(zeros, 0, size), size, sqlite3_free);
}

// count(*) visits each row. SQLite's own counts a whole table in one step.
static void count_step(context *c, int n, value **v) {
	i64 *count = sqlite3_aggregate_context(c, sizeof *count);
	if (count) ++*count;
}

static void count_inverse(context *c, int n, value **v) {
	i64 *count = sqlite3_aggregate_context(c, sizeof *count);
	if (count) --*count;
}

static void count_value(context *c) {
	i64 *count = sqlite3_aggregate_context(c, 0);
	sqlite3_result_int64(c, count ? *count : 0);
}

static void unbind(void *p) {
	binding *b = p;
	sqlite3_finalize(b->asked);
	sqlite3_free(b);
}

static int bind_function(sqlite3 *db, sqlite3 *aside, const counted *f) {
	binding *b = sqlite3_malloc(sizeof *b);
	if (b == 0) return NOMEM;
	*b = (binding){f, aside, 0};
	return sqlite3_create_function_v2(db, f->name, f->args, PURE | (f->json ? RESULT_SUBTYPE : 0), b, ask, 0, 0, unbind);
}

static int bind_functions(sqlite3 *db, sqlite3 *aside, const counted *f, int n) {
	int rc = 0;
	for (int i = 0; i < n && rc == 0; i++) rc = bind_function(db, aside, &f[i]);
	return rc;
}

// read_schema loads the schema now. Otherwise its page would be charged later.
static int read_schema(sqlite3 *db) {
	sqlite3_stmt *asked = 0;
	int rc = sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_schema", -1, &asked, 0);
	sqlite3_finalize(asked);
	return rc;
}

int meter_functions(sqlite3 *db, sqlite3 *aside, prng *random, int writer) {
	int rc = read_schema(aside);
	if (rc == 0) rc = bind_functions(db, aside, everywhere, sizeof everywhere / sizeof *everywhere);
	if (rc == 0) rc = sqlite3_create_function_v2(db, "like", 2, PURE, 0, like, 0, 0, 0);
	if (rc == 0) rc = sqlite3_create_function_v2(db, "glob", 2, PURE, 0, glob, 0, 0, 0);
	if (rc == 0) rc = sqlite3_create_function_v2(db, "zeroblob", 1, PURE, 0, zeroblob, 0, 0, 0);
	if (rc == 0) rc = sqlite3_create_function_v2(db, "random", 0, UNSURE, random, random_number, 0, 0, 0);
	if (rc == 0) rc = sqlite3_create_function_v2(db, "randomblob", 1, UNSURE, random, random_blob, 0, 0, 0);
	if (rc != 0 || !writer) return rc;
	rc = bind_functions(db, aside, written, sizeof written / sizeof *written);
	if (rc == 0) rc = sqlite3_create_function_v2(db, "length", 1, PURE, 0, count_characters, 0, 0, 0);
	if (rc == 0) rc = sqlite3_create_collation_v2(db, "NOCASE", 1, 0, nocase, 0);
	if (rc == 0) rc = sqlite3_create_window_function(db, "count", 0, PURE, 0, count_step, count_value, count_value, count_inverse, 0);
	return rc;
}
