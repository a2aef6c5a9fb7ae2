#ifndef REJOIN_METER_H
#define REJOIN_METER_H

#include <stdint.h>

typedef int64_t i64;
typedef struct sqlite3 sqlite3;

// What a step, an allocation and a byte cost, in steps of the virtual machine
// (about 10 ns): measured, and the same on every node.
enum {
	TICK = 100,         // steps between two looks at the meter
	ALLOCATION = 20,    // for each allocation
	PAGE_OWN = 30,      // for each look at a page of a table that a statement makes for itself
	BYTES_PER_STEP = 16, // allocated or looked at by a function
	LARGE_PER_STEP = 5,  // of a large allocation, in addition: it may be written to the disk
	// What the longest value of a statement adds, in bytes per step: to each step,
	// which may look at it, and to each row that is changed, which may have it.
	LONGEST_STEP = 1024,
	LONGEST_ROW = 64,
	HUGE = 1 << 20,     // bytes of a value beyond which a row costs as much as an allocation
	LARGE = 4096,       // bytes of a value that is long, and of an allocation that is refused whatever it is for
};

// A meter counts what the statements of one request cost: steps, and the memory
// that is theirs. It counts only between meter_enter and meter_leave, which a
// thread calls around each call of SQLite's that works for the request.
//
// What is counted is the same on every node: nothing of it depends on SQLite's
// page cache, on its kept statements, or on what was in the same transaction before.
typedef struct meter {
	i64 left;           // steps
	i64 room;           // bytes that may be held
	i64 held;           // bytes allocated by this request and not freed
	i64 peak;           // the most that was held
	i64 allocated;      // bytes, whether or not they were freed
	uint64_t request;   // numbers the request, in this process
	i64 longest;        // bytes of the longest value of the statement
	int weighs;         // a step costs more if there are long values
	int paging;         // what is allocated now is a page, and no value
	int aside;          // what is allocated now is not the request's
	int over;           // it asked for more room than it has
	int denied;         // it was denied something, or stopped
	int exhausted;      // the process itself has no memory left
	_Atomic int stop;   // set by a close that wants it to end
} meter;

// meter_install puts the meters between SQLite and its memory. It must be called
// before SQLite is used in this process; otherwise it returns SQLite's error.
int meter_install(void);

// meter_begin begins a request with so many steps and bytes.
void meter_begin(meter *m, i64 steps, i64 room);
void meter_enter(meter *m);
void meter_leave(void);

// meter_weigh says that a statement begins with a value so long in its text, and that
// its steps cost more the longer its longest value is; -1, that they all cost the same.
void meter_weigh(meter *m, i64 longest);

// meter_steps takes so many steps of a statement.
void meter_steps(meter *m, i64 steps);

// meter_row takes what a changed row costs beside its steps.
void meter_row(meter *m);

// meter_watch ties a meter to a connection.
void meter_watch(meter *m, sqlite3 *db);

// meter_charge takes steps from the meter of this thread, if it has one, and
// returns whether there were enough.
int meter_charge(i64 steps);

// chance is the state of random() and randomblob(): a PCG of 128 bits.
typedef struct chance {
	uint64_t high, low;
} chance;

// meter_functions gives a connection functions whose cost is counted, in place
// of those of SQLite's whose cost grows faster than what they are given, and a writer
// such whose cost does not show in what they allocate. aside is a connection that has
// SQLite's own.
int meter_functions(sqlite3 *db, sqlite3 *aside, chance *random, int writer);

// meter_aside says that what this thread allocates from now on is not the
// request's, or, with -1, that it is again.
void meter_aside(int more);

#endif
