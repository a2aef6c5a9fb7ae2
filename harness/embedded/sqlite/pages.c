#include "pages.h"

#include <stddef.h>
#include <string.h>

enum {
	OPEN_MAIN_DB = 0x00000100,
	OPEN_WAL = 0x00080000,
	IOERR_READ = 10 | 1 << 8,
	IOERR_SHORT_READ = 10 | 2 << 8,
	IOERR_WRITE = 10 | 3 << 8,
	FULL = 13,
	IOERR_DATA = 10 | 32 << 8,
	HEADER = 100,
	FRAME_HEADER = 24,
	DATA = PAGE_SIZE - SUM_SIZE,
};

// The extension of each file with checksums. seen holds the methods that SQLite calls: the file's
// own, except reading and writing. It is the first field, so that the file's pointer to its
// methods is a pointer to this struct.
typedef struct summed {
	methods seen;
	const methods *base;
	pages *pages;
	int wal;
} summed;

static uint64_t word(const unsigned char *at) {
	uint64_t w;
	memcpy(&w, at, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

// mix is a bijection of sum for every w, and of w for every sum.
static inline uint64_t mix(uint64_t sum, uint64_t w) {
	sum = (sum ^ w) * 0x9e3779b97f4a7c15u;
	return sum << 29 | sum >> 35;
}

// page_sum differs for pages that differ in one 8-byte word, since it is composed of bijections.
// The checksum of zeros is zero: SQLite leaves holes in its file for pages that were never
// needed, and reads them as zeros.
static uint64_t page_sum(const unsigned char *page) {
	uint64_t a = 0, b = 0, c = 0, d = 0; // four independent lanes, so that multiplications overlap
	int at = 0;
	for (; at + 32 <= DATA; at += 32) {
		a = mix(a, word(page + at));
		b = mix(b, word(page + at + 8));
		c = mix(c, word(page + at + 16));
		d = mix(d, word(page + at + 24));
	}
	for (; at < DATA; at += 8) a = mix(a, word(page + at));
	return mix(mix(mix(a, b), c), d);
}

static void sum_page(unsigned char *page) {
	uint64_t sum = page_sum(page);
	sum = word((const unsigned char *)&sum);
	memcpy(page + DATA, &sum, SUM_SIZE);
}

static int damaged(summed *s, uint32_t page) {
	pages *p = s->pages;
	if (!p->damaged) {
		p->damaged = 1;
		p->damaged_in_wal = s->wal;
		p->damaged_page = page;
	}
	return IOERR_DATA;
}

static int is_sound(const unsigned char *page) { return page_sum(page) == word(page + DATA); }

static int read_wal(file *f, void *out, int n, i64 at) {
	summed *s = (summed *)f->methods;
	// SQLite reads the log's header only to recover the database from the log. It would consider
	// the log broken at its first frame, since SQLite computes its own checksums before ours, and
	// ignore its content.
	if (at == 0) return damaged(s, 0);
	int rc = s->base->read(f, out, n, at);
	if (rc != 0 || n != PAGE_SIZE || is_sound(out)) return rc;
	unsigned char number[4] = {0};
	s->base->read(f, number, sizeof number, at - FRAME_HEADER);
	return damaged(s, (uint32_t)number[0] << 24 | number[1] << 16 | number[2] << 8 | number[3]);
}

// read_header reads the beginning of a database when it is opened. No lock is held then: the page
// may be in the middle of a write, and its checksum may be wrong. SQLite uses only the sizes,
// which are constants here. The whole page is read and verified again when it is used.
static int read_header(const summed *s, file *f, unsigned char *out, int n) {
	int rc = s->base->read(f, out, n, 0);
	if (rc != 0) return rc; // the database is new
	out[16] = PAGE_SIZE >> 8;
	out[17] = PAGE_SIZE & 0xff;
	out[20] = SUM_SIZE;
	return 0;
}

static int read_database(file *f, void *out, int n, i64 at) {
	summed *s = (summed *)f->methods;
	if (at == 0 && n == HEADER) return read_header(s, f, out, n);
	int within = at % PAGE_SIZE;
	if (within + n > PAGE_SIZE) return IOERR_READ;
	// Overflow pages are also read in part.
	unsigned char *page = n == PAGE_SIZE ? out : s->pages->page;
	int rc = s->base->read(f, page, PAGE_SIZE, at - within);
	if (rc != 0 && rc != IOERR_SHORT_READ) return rc; // a short read is filled with zeros
	if (!is_sound(page)) return damaged(s, at / PAGE_SIZE + 1);
	if (page != out) memcpy(out, page + within, n);
	return rc;
}

static int wrote(summed *s, int rc) {
	if (rc == FULL) s->pages->full = 1;
	return rc;
}

static int write_summed(file *f, const void *in, int n, i64 at) {
	summed *s = (summed *)f->methods;
	if (n != PAGE_SIZE) {
		// The log has headers. SQLite never writes part of a database page.
		return s->wal ? wrote(s, s->base->write(f, in, n, at)) : IOERR_WRITE;
	}
	unsigned char *page = s->pages->page;
	memcpy(page, in, DATA);
	sum_page(page);
	return wrote(s, s->base->write(f, page, PAGE_SIZE, at));
}

static int behind(const vfs *base) { return (base->os_file_size + 7) & ~7; }

static int open_summed(vfs *v, const char *name, file *f, int flags, int *out_flags) {
	pages *p = (pages *)v;
	int (*open)(vfs *, const char *, file *, int, int *) = (int (*)(vfs *, const char *, file *, int, int *))p->base->x[X_OPEN];
	int rc = open(p->base, name, f, flags, out_flags);
	if (rc != 0 || f->methods == 0 || (flags & (OPEN_MAIN_DB | OPEN_WAL)) == 0) return rc;
	summed *s = (summed *)((char *)f + behind(p->base));
	s->base = f->methods;
	s->pages = p;
	s->wal = (flags & OPEN_WAL) != 0;
	int version = s->base->version < 2 ? 1 : 2;
	memcpy(&s->seen, s->base, offsetof(methods, rest) + (version < 2 ? VERSION_1 : VERSION_2) * sizeof(void *));
	s->seen.version = version;
	s->seen.read = s->wal ? read_wal : read_database;
	s->seen.write = write_summed;
	f->methods = &s->seen;
	return 0;
}

void pages_init(pages *p, vfs *base) {
	int pointers = base->version >= 3 ? X_COUNT : X_CURRENT_TIME_INT64 + 1;
	memcpy(&p->v, base, (char *)&base->x[pointers] - (char *)base);
	p->base = base;
	p->v.next = 0;
	p->v.os_file_size = behind(base) + (int)sizeof(summed);
	p->v.x[X_OPEN] = (void *)open_summed;
}
