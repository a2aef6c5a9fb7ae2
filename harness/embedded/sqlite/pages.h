#ifndef REJOIN_PAGES_H
#define REJOIN_PAGES_H

#include <stdint.h>

// SQLite itself is compiled by github.com/mattn/go-sqlite3. These are the public, stable layouts
// of sqlite3_vfs, sqlite3_file and sqlite3_io_methods (https://sqlite.org/c3ref/vfs.html,
// https://sqlite.org/c3ref/io_methods.html). Members that are not called here are arrays of
// pointers.
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

// The methods up to version 2. SQLite memory-maps files only from version 3 on, so with version 2
// it reads every page by xRead.
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

// Every page of every database has this size and ends with its checksum.
enum { PAGE_SIZE = 4096, SUM_SIZE = 8 };

// A VFS whose database files and write-ahead logs have a checksum in each page. It is computed
// when the page is written and verified when it is read. The VFS is the first field, so that
// SQLite's pointer to the VFS is a pointer to this struct.
typedef struct pages {
	vfs v;
	vfs *base;
	int damaged;           // a page with a wrong checksum was read
	int damaged_in_wal;    // the damaged page is in the write-ahead log
	int full;              // a write failed because the disk is full
	uint32_t damaged_page; // its number, from 1; 0 if the log's own header was read
	unsigned char page[PAGE_SIZE]; // buffer of the current page
} pages;

// pages_init initializes p as a VFS on top of base.
void pages_init(pages *p, vfs *base);

#endif
