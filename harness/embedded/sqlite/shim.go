package sqlite

/*
#cgo linux LDFLAGS: -Wl,--unresolved-symbols=ignore-in-object-files
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup
#include <stdio.h>
#include <stdlib.h>

#include "meter.h"
#include "pages.h"

// The SQLite functions that are used in addition to github.com/mattn/go-sqlite3, which links
// SQLite into the same binary.
typedef struct sqlite3_stmt sqlite3_stmt;

vfs *sqlite3_vfs_find(const char *name);
int sqlite3_vfs_register(vfs *v, int make_default);
int sqlite3_vfs_unregister(vfs *v);
int sqlite3_file_control(sqlite3 *db, const char *name, int op, void *arg);
void *sqlite3_update_hook(sqlite3 *db, void (*f)(void *, int, char const *, char const *, i64), void *arg);
i64 sqlite3_changes64(sqlite3 *db);
int sqlite3_db_status(sqlite3 *db, int op, int *current, int *high, int reset);
int sqlite3_db_config(sqlite3 *db, int op, ...);
int sqlite3_stmt_status(sqlite3_stmt *stmt, int op, int reset);
int sqlite3_open_v2(const char *name, sqlite3 **db, int flags, const char *vfs);
int sqlite3_close_v2(sqlite3 *db);
int sqlite3_test_control(int op, ...);

enum {
	OP_DELETE = 9,
	STATUS_DEFERRED_FKS = 10,
	RESERVE_BYTES = 38,
	LOOKASIDE = 1001,
	NO_CHECKPOINT_ON_CLOSE = 1006,
	VM_STEP = 4,
	OPTIMIZATIONS = 15,
	BLOOM_FILTER = 0x00080000,
	IN_MEMORY = 0x02 | 0x04 | 0x80 | 0x8000, // READWRITE, CREATE, MEMORY, NOMUTEX
};

// One environment per connection. The VFS is the first field, so that SQLite's pointer to the
// VFS is a pointer to this struct.
typedef struct environment {
	pages p;
	char name[40];
	i64 now;       // milliseconds since the Julian epoch
	meter meter;
	prng random;
	sqlite3 *aside; // a connection with SQLite's own functions
	int last_rowid; // the largest possible rowid was used
} environment;

static int current_time_int64(vfs *v, i64 *out) {
	*out = ((environment *)v)->now;
	return 0;
}

static int current_time(vfs *v, double *out) {
	*out = ((environment *)v)->now / 86400000.0;
	return 0;
}

static void changed(void *arg, int op, char const *db, char const *table, i64 rowid) {
	environment *s = arg;
	meter_row(&s->meter);
	if (op != OP_DELETE && rowid == INT64_MAX) s->last_rowid = 1;
}

static environment *environment_new(void) {
	vfs *base = sqlite3_vfs_find(0);
	if (base == 0 || base->version < 2) return 0;
	environment *s = calloc(1, sizeof *s);
	if (s == 0) return 0;
	pages_init(&s->p, base);
	snprintf(s->name, sizeof s->name, "rejoin-%p", (void *)s);
	s->p.v.name = s->name;
	s->p.v.x[X_CURRENT_TIME] = (void *)current_time;
	s->p.v.x[X_CURRENT_TIME_INT64] = (void *)current_time_int64;
	if (sqlite3_vfs_register(&s->p.v, 0) != 0) {
		free(s);
		return 0;
	}
	return s;
}

static void environment_free(environment *s) {
	sqlite3_close_v2(s->aside);
	sqlite3_vfs_unregister(&s->p.v);
	free(s);
}

// A writer has no lookaside memory (see meter_install): which allocations fit in it depends on
// earlier ones. Readers have SQLite's default.
static int environment_watch(environment *s, void *db, int writer) {
	meter_watch(&s->meter, db);
	sqlite3_update_hook(db, changed, s);
	int rc = writer ? 0 : sqlite3_db_config(db, LOOKASIDE, (void *)0, 1200, 40);
	// The files are not used after the last connection is closed.
	if (rc == 0) rc = sqlite3_db_config(db, NO_CHECKPOINT_ON_CLOSE, 1, (int *)0);
	// A Bloom filter of up to 10 MB would be counted like a value.
	if (rc == 0 && writer) rc = sqlite3_test_control(OPTIMIZATIONS, db, BLOOM_FILTER);
	if (rc == 0) rc = sqlite3_open_v2(":memory:", &s->aside, IN_MEMORY, 0);
	if (rc == 0) rc = meter_functions(db, s->aside, &s->random, writer);
	return rc;
}

// Charges the steps since the last tick when a statement has ended.
static void steps_after_tick(environment *s, void *stmt) {
	meter_steps(&s->meter, sqlite3_stmt_status(stmt, VM_STEP, 0) % TICK);
}

static void request_stop(environment *s) { s->meter.stop = 1; }

// Has no effect on an existing database.
static int reserve_sums(void *db) {
	int bytes = SUM_SIZE;
	return sqlite3_file_control(db, "main", RESERVE_BYTES, &bytes);
}

static int deferred_violations(void *db) {
	int current = 0, high = 0;
	sqlite3_db_status(db, STATUS_DEFERRED_FKS, &current, &high, 0);
	return current;
}

static i64 changes(void *db) { return sqlite3_changes64(db); }
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"time"
	"unsafe"

	"github.com/mattn/go-sqlite3"
)

// julianEpoch is the Unix epoch in milliseconds since noon, November 24, 4714 BC, the zero of
// SQLite's clock.
const julianEpoch = 210866760000000

// unlimited is a limit that no statement reaches.
const unlimited = math.MaxInt64 / 2

// installed is the result of installing the meters, which is possible only before SQLite is first
// used.
var installed = C.meter_install()

// Sizes of a page and of its checksum, in bytes.
const (
	pageSize = C.PAGE_SIZE
	sumSize  = C.SUM_SIZE
)

// environment replaces what a connection would otherwise take from its process: the clock, by a
// VFS of its own, and the limits of steps and memory. SQLite reads the clock through its VFS, so
// every form of 'now' is covered, also in triggers, views and column defaults, and SQLite's own
// rules about where 'now' is allowed still apply. The VFS also adds checksums to pages.
type environment struct {
	c     *C.environment
	db    unsafe.Pointer
	steps int64 // limit of the request
}

func newEnvironment() (*environment, error) {
	if installed != 0 {
		return nil, fmt.Errorf("sqlite: cannot install the memory meter, because SQLite was used before: %w", sqlite3.ErrNo(installed))
	}
	c := C.environment_new()
	if c == nil {
		return nil, errors.New("sqlite: cannot create a VFS with its own clock")
	}
	s := &environment{c: c}
	s.begin(unlimited, unlimited)
	s.setNow(time.Unix(0, 0))
	return s, nil
}

func (s *environment) vfs() string { return C.GoString(&s.c.name[0]) }

// watch attaches the environment to an open connection. The driver does not export its handle,
// so it is read by reflection.
func (s *environment) watch(conn *sqlite3.SQLiteConn, mode Mode) error {
	field := reflect.ValueOf(conn).Elem().FieldByName("db")
	if !field.IsValid() || field.Kind() != reflect.Pointer || field.IsNil() {
		return errors.New("sqlite: incompatible version of github.com/mattn/go-sqlite3: SQLiteConn has no field db")
	}
	s.db = field.UnsafePointer()
	writer := C.int(0)
	if mode == Writer {
		writer = 1
	}
	if rc := C.environment_watch(s.c, s.db, writer); rc != 0 {
		return fmt.Errorf("install the meter of a connection: %w", sqlite3.ErrNo(rc))
	}
	return nil
}

// reserve reserves space for checksums in the pages of a database that is not created yet.
func (s *environment) reserve() error {
	if rc := C.reserve_sums(s.db); rc != 0 {
		return fmt.Errorf("reserve %d bytes in each page: %w", sumSize, sqlite3.ErrNo(rc))
	}
	return nil
}

// damaged returns whether a page with a wrong checksum was read.
func (s *environment) damaged() bool { return s.c.p.damaged != 0 }

// damage returns the damaged page that was read of the database in the file path, or nil.
func (s *environment) damage(path string) *DamagedError {
	if s.c.p.damaged == 0 {
		return nil
	}
	if s.c.p.damaged_in_wal != 0 {
		path += walSuffix
	}
	return &DamagedError{File: path, Page: uint32(s.c.p.damaged_page)}
}

// single returns an error unless the driver has compiled exactly one statement. The driver would
// run an empty statement with a null pointer, and ignore a second one.
func single(stmt *sqlite3.SQLiteStmt) error {
	fields := reflect.ValueOf(stmt).Elem()
	handle, tail := fields.FieldByName("s"), fields.FieldByName("t")
	switch {
	case handle.Kind() != reflect.Pointer || tail.Kind() != reflect.String:
		return errors.New("sqlite: incompatible version of github.com/mattn/go-sqlite3: SQLiteStmt has no fields s and t")
	case handle.IsNil():
		return errors.New("there is no statement in the text")
	case tail.Len() > 0:
		return errors.New("there is more than one statement in the text")
	}
	return nil
}

// close must be called after the connection is closed.
func (s *environment) close() { C.environment_free(s.c) }

func (s *environment) setNow(t time.Time)       { s.c.now = C.i64(t.UnixMilli() + julianEpoch) }
func (s *environment) requestStop()             { C.request_stop(s.c) }
func (s *environment) stopping() bool           { return s.c.meter.stop != 0 }
func (s *environment) spent() bool              { return s.c.meter.left <= 0 }
func (s *environment) over() bool               { return s.c.meter.over != 0 }
func (s *environment) exhausted() bool          { return s.c.meter.exhausted != 0 }
func (s *environment) full() bool               { return s.c.p.full != 0 }
func (s *environment) lastRowid() bool          { return s.c.last_rowid != 0 }
func (s *environment) deferredViolations() bool { return C.deferred_violations(s.db) != 0 }
func (s *environment) changes() int64           { return int64(C.changes(s.db)) }

// setRandom sets the state of random() and randomblob().
func (s *environment) setRandom(a, b uint64) {
	s.c.random.high, s.c.random.low = C.uint64_t(a), C.uint64_t(b)
}

// cost returns the cost of the current request.
func (s *environment) cost() Cost {
	return Cost{Steps: s.steps - int64(s.c.meter.left), Memory: int64(s.c.meter.peak)}
}

// begin begins a request with limits of steps and of bytes held.
func (s *environment) begin(steps, room int64) {
	C.meter_begin(&s.c.meter, C.i64(steps), C.i64(room))
	s.c.last_rowid = 0
	s.steps = steps
}

// taken returns counters whose difference is the cost between two points of a request: steps, and
// bytes allocated.
func (s *environment) taken() Cost {
	return Cost{Steps: -int64(s.c.meter.left), Memory: int64(s.c.meter.allocated)}
}

// charge charges steps to the request.
func (s *environment) charge(steps int64) { s.c.meter.left -= C.i64(steps) }

// weigh begins a statement whose longest literal has so many bytes. -1 is for compilation and for
// readers: their steps all cost the same.
func (s *environment) weigh(longest int) { C.meter_weigh(&s.c.meter, C.i64(longest)) }

// metered runs do and charges SQLite's work in it to the request. A meter belongs to a thread.
func (s *environment) metered(do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.meter_enter(&s.c.meter)
	defer C.meter_leave()
	return do()
}

// ended charges the steps of a statement since the last tick.
func (s *environment) ended(stmt *sqlite3.SQLiteStmt) {
	if handle := reflect.ValueOf(stmt).Elem().FieldByName("s"); !handle.IsNil() {
		C.steps_after_tick(s.c, handle.UnsafePointer())
	}
}
