#ifndef REJOIN_METER_H
#define REJOIN_METER_H

#include <stdint.h>

typedef int64_t i64;
typedef struct sqlite3 sqlite3;

// The cost of a step, an allocation and a byte, in steps of the virtual machine (about 10 ns).
// Measured once, and the same on every node.
enum {
	TICK = 100,         // steps between two checks of the meter
	ALLOCATION = 20,    // for each allocation
	PAGE_OWN = 30,      // for each access to a page of a statement's temporary table
	BYTES_PER_STEP = 16, // bytes allocated, or processed by a function
	LARGE_PER_STEP = 5,  // additional cost of a large allocation, which may be written to disk
	// Additional cost of the longest value of a statement, in bytes per step: for each step,
	// which may process it, and for each changed row, which may contain it.
	LONGEST_STEP = 1024,
	LONGEST_ROW = 64,
	HUGE = 1 << 20,     // bytes of a value from which a row costs as much as an allocation
	LARGE = 4096,       // bytes of a long value, and of an allocation that is always denied over the limit
};

// A meter counts the cost of the statements of one request: steps and memory. It counts only
// between meter_enter and meter_leave, which a thread calls around each SQLite call for the
// request.
//
// The count is the same on every node: it does not depend on SQLite's page cache, its cached
// statements, or earlier statements of the transaction.
typedef struct meter {
	i64 left;           // remaining steps
	i64 room;           // limit of held, in bytes
	i64 held;           // bytes allocated by this request and not freed
	i64 peak;           // maximum of held
	i64 allocated;      // bytes allocated in total
	uint64_t request;   // unique request number in this process
	i64 longest;        // size of the longest value of the statement, in bytes
	int weighs;         // steps cost more with long values
	int paging;         // current allocations are pages, not values
	int aside;          // current allocations do not belong to the request
	int over;           // the request exceeded room
	int denied;         // an allocation was denied, or the request was stopped
	int exhausted;      // the process is out of memory
	_Atomic int stop;   // set by another thread to interrupt the connection
} meter;

// meter_install installs the meters as SQLite's allocator and page cache. It must be called
// before SQLite is used in this process; otherwise it returns SQLite's error.
int meter_install(void);

// meter_begin begins a request with limits of steps and bytes.
void meter_begin(meter *m, i64 steps, i64 room);
void meter_enter(meter *m);
void meter_leave(void);

// meter_weigh begins a statement whose longest literal has the given size in bytes, and whose
// steps cost more with longer values. With -1 all steps cost the same.
void meter_weigh(meter *m, i64 longest);

// meter_steps charges steps of a statement.
void meter_steps(meter *m, i64 steps);

// meter_row charges the cost of a changed row in addition to its steps.
void meter_row(meter *m);

// meter_watch attaches a meter to a connection.
void meter_watch(meter *m, sqlite3 *db);

// meter_charge charges steps to the meter of this thread, if there is one, and returns whether
// any are left.
int meter_charge(i64 steps);

// prng is the state of random() and randomblob(): a 128-bit PCG.
typedef struct prng {
	uint64_t high, low;
} prng;

// meter_functions registers counted functions that replace SQLite functions whose cost grows
// faster than their arguments. For a writer it also replaces functions whose cost is not visible
// in their allocations. aside is a connection with SQLite's own functions.
int meter_functions(sqlite3 *db, sqlite3 *aside, prng *random, int writer);

// meter_aside(1) excludes this thread's allocations from the request until meter_aside(-1). Calls
// nest.
void meter_aside(int more);

#endif
