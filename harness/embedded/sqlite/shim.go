package sqlite

/*
#cgo linux LDFLAGS: -Wl,--unresolved-symbols=ignore-in-object-files
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup
#include <stdio.h>
#include <stdlib.h>

#include "meter.h"
#include "pages.h"

// The few functions of SQLite that are used past github.com/mattn/go-sqlite3,
// which links it into the same binary.
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

// One surroundings per connection; the VFS is first, so that SQLite's pointer
// to the VFS is a pointer to the whole.
typedef struct surroundings {
	pages p;
	char name[40];
	i64 now;       // milliseconds since the Julian epoch
	meter meter;
	chance random;
	sqlite3 *aside; // has SQLite's own functions
	int last_rowid; // the largest rowid there is was given out
} surroundings;

static int current_time_int64(vfs *v, i64 *out) {
	*out = ((surroundings *)v)->now;
	return 0;
}

static int current_time(vfs *v, double *out) {
	*out = ((surroundings *)v)->now / 86400000.0;
	return 0;
}

static void changed(void *arg, int op, char const *db, char const *table, i64 rowid) {
	surroundings *s = arg;
	meter_row(&s->meter);
	if (op != OP_DELETE && rowid == INT64_MAX) s->last_rowid = 1;
}

static surroundings *surroundings_new(void) {
	vfs *base = sqlite3_vfs_find(0);
	if (base == 0 || base->version < 2) return 0;
	surroundings *s = calloc(1, sizeof *s);
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

static void surroundings_free(surroundings *s) {
	sqlite3_close_v2(s->aside);
	sqlite3_vfs_unregister(&s->p.v);
	free(s);
}

// A writer has no lookaside memory (meter_install): what is allocated in it, and
// what is not, hangs on what else is. Readers have what SQLite gives by default.
static int surroundings_watch(surroundings *s, void *db, int writer) {
	meter_watch(&s->meter, db);
	sqlite3_update_hook(db, changed, s);
	int rc = writer ? 0 : sqlite3_db_config(db, LOOKASIDE, (void *)0, 1200, 40);
	// The files are no use to anybody after the last connection.
	if (rc == 0) rc = sqlite3_db_config(db, NO_CHECKPOINT_ON_CLOSE, 1, (int *)0);
	// A Bloom filter would look like a value, of up to 10 MB.
	if (rc == 0 && writer) rc = sqlite3_test_control(OPTIMIZATIONS, db, BLOOM_FILTER);
	if (rc == 0) rc = sqlite3_open_v2(":memory:", &s->aside, IN_MEMORY, 0);
	if (rc == 0) rc = meter_functions(db, s->aside, &s->random, writer);
	return rc;
}

// The steps since the last look at the meter, when a statement has ended.
static void steps_after_tick(surroundings *s, void *stmt) {
	meter_steps(&s->meter, sqlite3_stmt_status(stmt, VM_STEP, 0) % TICK);
}

static void request_stop(surroundings *s) { s->meter.stop = 1; }

// Has no effect on a database that is there already.
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

// julianEpoch is the Unix epoch in milliseconds since noon, November 24, 4714 BC,
// the zero of SQLite's clock.
const julianEpoch = 210866760000000

// unlimited is a budget no statement uses up.
const unlimited = math.MaxInt64 / 2

// installed is what came of putting meters between SQLite and its memory, which
// is possible only before SQLite is first used.
var installed = C.meter_install()

// What pages are made of, in bytes: what is SQLite's, and a sum.
const (
	pageSize = C.PAGE_SIZE
	sumSize  = C.SUM_SIZE
)

// surroundings is what a connection would otherwise take from its process: a
// clock, in the form of a VFS of its own, and a budget of steps. SQLite reads
// the clock through its VFS, so every form of 'now' is covered, in triggers,
// views and column defaults too, and with SQLite's own rules about where 'now'
// may not stand. The VFS also gives pages their sums.
type surroundings struct {
	c     *C.surroundings
	db    unsafe.Pointer
	steps int64 // that the request was given
}

func newSurroundings() (*surroundings, error) {
	if installed != 0 {
		return nil, fmt.Errorf("sqlite: its memory cannot be counted, since it was in use before: %w", sqlite3.ErrNo(installed))
	}
	c := C.surroundings_new()
	if c == nil {
		return nil, errors.New("sqlite: the default VFS cannot be given a clock")
	}
	s := &surroundings{c: c}
	s.begin(unlimited, unlimited)
	s.setNow(time.Unix(0, 0))
	return s, nil
}

func (s *surroundings) vfs() string { return C.GoString(&s.c.name[0]) }

// watch ties the surroundings to an open connection. The driver keeps its
// handle to itself; reading it by reflection is the one liberty taken.
func (s *surroundings) watch(conn *sqlite3.SQLiteConn, mode Mode) error {
	field := reflect.ValueOf(conn).Elem().FieldByName("db")
	if !field.IsValid() || field.Kind() != reflect.Pointer || field.IsNil() {
		return errors.New("sqlite: this version of github.com/mattn/go-sqlite3 keeps its handle elsewhere")
	}
	s.db = field.UnsafePointer()
	writer := C.int(0)
	if mode == Writer {
		writer = 1
	}
	if rc := C.surroundings_watch(s.c, s.db, writer); rc != 0 {
		return fmt.Errorf("count what statements cost: %w", sqlite3.ErrNo(rc))
	}
	return nil
}

// reserve makes room for sums in the pages of a database that is yet to be created.
func (s *surroundings) reserve() error {
	if rc := C.reserve_sums(s.db); rc != 0 {
		return fmt.Errorf("reserve %d bytes in each page: %w", sumSize, sqlite3.ErrNo(rc))
	}
	return nil
}

// damaged tells whether a page was read that is not as it was written.
func (s *surroundings) damaged() bool { return s.c.p.damaged != 0 }

// damage tells which page of the database in the file path was read and is not as it
// was written, or nil.
func (s *surroundings) damage(path string) *DamagedError {
	if s.c.p.damaged == 0 {
		return nil
	}
	if s.c.p.damaged_in_wal != 0 {
		path += walSuffix
	}
	return &DamagedError{File: path, Page: uint32(s.c.p.damaged_page)}
}

// whole returns an error unless the driver has compiled exactly one statement.
// It would run none by a null pointer, and forget about a second.
func whole(stmt *sqlite3.SQLiteStmt) error {
	fields := reflect.ValueOf(stmt).Elem()
	handle, tail := fields.FieldByName("s"), fields.FieldByName("t")
	switch {
	case handle.Kind() != reflect.Pointer || tail.Kind() != reflect.String:
		return errors.New("sqlite: this version of github.com/mattn/go-sqlite3 keeps its statements elsewhere")
	case handle.IsNil():
		return errors.New("there is no statement in the text")
	case tail.Len() > 0:
		return errors.New("there is more than one statement in the text")
	}
	return nil
}

// close must follow the connection's own close.
func (s *surroundings) close() { C.surroundings_free(s.c) }

func (s *surroundings) setNow(t time.Time)       { s.c.now = C.i64(t.UnixMilli() + julianEpoch) }
func (s *surroundings) requestStop()             { C.request_stop(s.c) }
func (s *surroundings) stopping() bool           { return s.c.meter.stop != 0 }
func (s *surroundings) spent() bool              { return s.c.meter.left <= 0 }
func (s *surroundings) over() bool               { return s.c.meter.over != 0 }
func (s *surroundings) exhausted() bool          { return s.c.meter.exhausted != 0 }
func (s *surroundings) full() bool               { return s.c.p.full != 0 }
func (s *surroundings) lastRowid() bool          { return s.c.last_rowid != 0 }
func (s *surroundings) deferredViolations() bool { return C.deferred_violations(s.db) != 0 }
func (s *surroundings) changes() int64           { return int64(C.changes(s.db)) }

// setRandom sets the state of random() and randomblob().
func (s *surroundings) setRandom(a, b uint64) {
	s.c.random.high, s.c.random.low = C.uint64_t(a), C.uint64_t(b)
}

// cost is what the request has taken.
func (s *surroundings) cost() Cost {
	return Cost{Steps: s.steps - int64(s.c.meter.left), Memory: int64(s.c.meter.peak)}
}

// begin begins a request, which may take so many steps and hold so many bytes.
func (s *surroundings) begin(steps, room int64) {
	C.meter_begin(&s.c.meter, C.i64(steps), C.i64(room))
	s.c.last_rowid = 0
	s.steps = steps
}

// taken is what can be compared with what is taken later in a request: steps, and
// bytes allocated.
func (s *surroundings) taken() Cost {
	return Cost{Steps: -int64(s.c.meter.left), Memory: int64(s.c.meter.allocated)}
}

// charge takes steps from the request.
func (s *surroundings) charge(steps int64) { s.c.meter.left -= C.i64(steps) }

// weigh begins a statement whose longest literal has so many bytes; -1 is for what
// compiles, and for readers: their steps cost the same, whatever they look at.
func (s *surroundings) weigh(longest int) { C.meter_weigh(&s.c.meter, C.i64(longest)) }

// metered does one thing for the request, and counts what SQLite does meanwhile.
// A meter belongs to a thread.
func (s *surroundings) metered(do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.meter_enter(&s.c.meter)
	defer C.meter_leave()
	return do()
}

// ended takes the steps of a statement that no look at the meter has counted.
func (s *surroundings) ended(stmt *sqlite3.SQLiteStmt) {
	if handle := reflect.ValueOf(stmt).Elem().FieldByName("s"); !handle.IsNil() {
		C.steps_after_tick(s.c, handle.UnsafePointer())
	}
}
