#include "meter.h"

#include <stdlib.h>
#include <string.h>

// SQLite's public interfaces for memory and page cache
// (https://sqlite.org/c3ref/mem_methods.html, https://sqlite.org/c3ref/pcache_methods2.html).
typedef struct mem_methods {
	void *(*malloc)(int);
	void (*free)(void *);
	void *(*realloc)(void *, int);
	int (*size)(void *);
	int (*roundup)(int);
	int (*init)(void *);
	void (*shutdown)(void *);
	void *data;
} mem_methods;

typedef struct pcache pcache;
typedef struct pcache_page pcache_page;
typedef struct pcache_methods {
	int version;
	void *arg;
	int (*init)(void *);
	void (*shutdown)(void *);
	pcache *(*create)(int, int, int);
	void (*cachesize)(pcache *, int);
	int (*pagecount)(pcache *);
	pcache_page *(*fetch)(pcache *, unsigned, int);
	void (*unpin)(pcache *, pcache_page *, int);
	void (*rekey)(pcache *, pcache_page *, unsigned, unsigned);
	void (*truncate)(pcache *, unsigned);
	void (*destroy)(pcache *);
	void (*shrink)(pcache *);
} pcache_methods;

int sqlite3_config(int, ...);
void sqlite3_progress_handler(sqlite3 *db, int every, int (*f)(void *), void *arg);
enum { CONFIG_MALLOC = 4, CONFIG_MEMSTATUS = 9, CONFIG_LOOKASIDE = 13, CONFIG_PCACHE2 = 18, CONFIG_GETPCACHE2 = 19 };

static __thread meter *current __attribute__((tls_model("initial-exec")));
static _Atomic uint64_t requests;

void meter_begin(meter *m, i64 steps, i64 room) {
	m->left = steps;
	m->room = room;
	m->held = m->peak = m->allocated = 0;
	m->request = ++requests;
	m->longest = m->weighs = 0;
	m->over = m->denied = m->exhausted = 0;
}

void meter_weigh(meter *m, i64 longest) {
	m->weighs = longest >= 0;
	m->longest = longest;
}

static i64 beyond(i64 size, i64 limit) { return size > limit ? size - limit : 0; }

void meter_steps(meter *m, i64 steps) {
	m->left -= steps * (1 + (m->weighs ? beyond(m->longest, LARGE) / LONGEST_STEP : 0));
}

void meter_row(meter *m) {
	if (current != m || !m->weighs) return;
	m->left -= beyond(m->longest, LARGE) / LONGEST_ROW + beyond(m->longest, HUGE) / BYTES_PER_STEP;
}

void meter_enter(meter *m) {
	m->aside = m->paging = 0;
	current = m;
}

void meter_leave(void) { current = 0; }

void meter_aside(int more) {
	if (current) current->aside += more;
}

int meter_charge(i64 steps) {
	if (current == 0) return 1;
	current->left -= steps;
	if (current->left <= 0) current->denied = 1;
	return current->left > 0;
}

// tick is called every TICK steps.
static int tick(void *arg) {
	meter *m = arg;
	if (current != m) return 0; // a statement of the database's own
	meter_steps(m, TICK);
	if (m->left > 0 && !m->denied && !m->stop) return 0;
	m->denied = 1;
	return 1;
}

void meter_watch(meter *m, sqlite3 *db) { sqlite3_progress_handler(db, TICK, tick, m); }

// The header of each allocation: its size and request. Its size keeps malloc's alignment.
typedef struct block {
	uint64_t request; // 0 if it belongs to no request
	i64 size;
} block;

static block *block_of(void *p) { return (block *)p - 1; }

// denied returns whether an allocation must fail. A small allocation fails once only: SQLite
// needs some memory to undo the statement and report the error.
static int denied(meter *m, i64 size) {
	int much = m->held + size > m->room;
	if (!much && m->left > 0) return 0;
	if (much) m->over = 1;
	int first = !m->denied;
	m->denied = 1;
	return size >= LARGE || first;
}

static void hold(meter *m, i64 bytes, i64 size) {
	m->held += bytes;
	m->allocated += size;
	if (size > m->longest && !m->paging) m->longest = size;
	if (m->held > m->peak) m->peak = m->held;
}

static void *allocate(int size) {
	meter *m = current && !current->aside ? current : 0;
	if (m) {
		m->left -= ALLOCATION + size / BYTES_PER_STEP + beyond(size, LARGE) / LARGE_PER_STEP;
		if (denied(m, size)) return 0;
	}
	block *b = malloc(sizeof *b + size);
	if (b == 0) {
		if (m) m->exhausted = 1;
		return 0;
	}
	b->request = m ? m->request : 0;
	b->size = size;
	if (m) hold(m, size, size);
	return b + 1;
}

static meter *owner(const block *b) { return current && b->request == current->request ? current : 0; }

static void release(void *p) {
	if (p == 0) return;
	block *b = block_of(p);
	meter *m = owner(b);
	if (m) m->held -= b->size;
	free(b);
}

static void *resize(void *p, int size) {
	block *b = block_of(p);
	meter *m = owner(b);
	i64 more = size - b->size;
	if (m) {
		m->left -= ALLOCATION + size / BYTES_PER_STEP + beyond(size, LARGE) / LARGE_PER_STEP;
		if (more > 0 && denied(m, more)) return 0;
	}
	b = realloc(b, sizeof *b + size);
	if (b == 0) {
		if (current) current->exhausted = 1;
		return 0;
	}
	b->size = size;
	if (m) hold(m, more, size);
	return b + 1;
}

static int size_of(void *p) { return p ? (int)block_of(p)->size : 0; }
static int roundup(int n) { return (n + 7) & ~7; }
static int nothing(void *arg) { return 0; }
static void nothing_either(void *arg) {}

// A page cache belongs to a request if SQLite created it for an in-memory table of a statement;
// it is not purgeable then. How much of the database itself is cached does not depend on the
// statement, and differs between nodes.
typedef struct cache {
	pcache *base;
	int own;
	int spilling; // SQLite spills a page, and allocates on behalf of earlier statements
} cache;

static pcache_methods base;

static pcache *cache_create(int page, int extra, int purgeable) {
	cache *c = malloc(sizeof *c);
	if (c == 0) return 0;
	c->own = !purgeable;
	c->spilling = 0;
	c->base = base.create(page, extra, purgeable);
	if (c->base == 0) {
		free(c);
		return 0;
	}
	return (pcache *)c;
}

#define BASE(p) (((cache *)(p))->base)

static pcache_page *cache_fetch(pcache *p, unsigned key, int create) {
	cache *c = (cache *)p;
	meter *m = current;
	if (c->own) {
		if (m) m->paging++, m->left -= PAGE_OWN;
		pcache_page *page = base.fetch(c->base, key, create);
		if (m) m->paging--;
		return page;
	}
	if (m && c->spilling && m->aside > 0) m->aside--;
	c->spilling = 0;
	if (m) m->aside++;
	pcache_page *page = base.fetch(c->base, key, create);
	if (m) m->aside--;
	if (m && page == 0 && create == 1) {
		// SQLite spills a page now, and calls again.
		c->spilling = 1;
		m->aside++;
	}
	return page;
}

static void cache_cachesize(pcache *p, int n) { base.cachesize(BASE(p), n); }
static int cache_pagecount(pcache *p) { return base.pagecount(BASE(p)); }
static void cache_unpin(pcache *p, pcache_page *page, int discard) { base.unpin(BASE(p), page, discard); }
static void cache_rekey(pcache *p, pcache_page *page, unsigned from, unsigned to) { base.rekey(BASE(p), page, from, to); }
static void cache_truncate(pcache *p, unsigned limit) { base.truncate(BASE(p), limit); }
static void cache_shrink(pcache *p) { base.shrink(BASE(p)); }

static void cache_destroy(pcache *p) {
	base.destroy(BASE(p));
	free(p);
}

int meter_install(void) {
	static mem_methods memory = {allocate, release, resize, size_of, roundup, nothing, nothing_either, 0};
	int rc = sqlite3_config(CONFIG_MALLOC, &memory);
	// SQLite's own statistics take a global lock for each allocation.
	if (rc == 0) rc = sqlite3_config(CONFIG_MEMSTATUS, 0);
	if (rc == 0) rc = sqlite3_config(CONFIG_LOOKASIDE, 0, 0);
	if (rc == 0) rc = sqlite3_config(CONFIG_GETPCACHE2, &base);
	if (rc != 0) return rc;
	static pcache_methods caches;
	caches = base;
	caches.create = cache_create;
	caches.cachesize = cache_cachesize;
	caches.pagecount = cache_pagecount;
	caches.fetch = cache_fetch;
	caches.unpin = cache_unpin;
	caches.rekey = cache_rekey;
	caches.truncate = cache_truncate;
	caches.destroy = cache_destroy;
	caches.shrink = cache_shrink;
	return sqlite3_config(CONFIG_PCACHE2, &caches);
}
