#ifndef REJOIN_PAGES_H
#define REJOIN_PAGES_H

#include <stdint.h>

// SQLite itself is compiled by github.com/mattn/go-sqlite3. These are the public,
// stable layouts of its sqlite3_vfs, sqlite3_file and sqlite3_io_methods
// (https://sqlite.org/c3ref/vfs.html, https://sqlite.org/c3ref/io_methods.html):
// what nobody here calls by its type is an array of pointers.
typedef int64_t i64;
typedef struct file file;
typedef struct vfs vfs;

enum { X_OPEN = 0, X_CURRENT_TIME = 10, X_CURRENT_TIME_INT64 = 12, X_COUNT = 16 };

struct vfs {
	int version;
	int os_file_size;
	int max_path;
	vfs *next;
	const char *name;
	void *app_data;
	void *x[X_COUNT];
};

// The methods up to version 2. SQLite asks for a file's pages in its memory
// from version 3 on only, and so reads every page by xRead.
enum { VERSION_1 = 9, VERSION_2 = 13 };

typedef struct methods {
	int version;
	void *close;
	int (*read)(file *, void *, int, i64);
	int (*write)(file *, const void *, int, i64);
	void *rest[VERSION_2];
} methods;

struct file {
	const methods *methods;
};

// Every page of every database has this size, and its sum at its end.
enum { PAGE_SIZE = 4096, SUM_SIZE = 8 };

// A VFS whose database files and write-ahead logs have a sum in each page,
// made when the page is written and compared when it is read. The VFS is first,
// so that SQLite's pointer to the VFS is a pointer to the whole.
typedef struct pages {
	vfs v;
	vfs *base;
	int damaged;           // a page was read that is not as it was written
	int damaged_in_wal;    // it is in the write-ahead log
	int full;              // a write found no room on the disk
	uint32_t damaged_page; // its number, from 1; 0 if the log's own header was read
	unsigned char page[PAGE_SIZE]; // the page under way
} pages;

// pages_init makes p a VFS whose files are those of base.
void pages_init(pages *p, vfs *base);

#endif
