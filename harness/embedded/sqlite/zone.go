package sqlite

/*
#include <time.h>

// https://sqlite.org/c3ref/c_testctrl_always.html
enum { TESTCTRL_LOCALTIME_FAULT = 18, USE_THE_FUNCTION_GIVEN = 2 };

int sqlite3_test_control(int op, ...);
int sqlite3_compileoption_used(const char *name);

// Has the signature that SQLite calls: time_t to struct tm, 0 for success.
static int utc_is_local(const void *seconds, void *broken_down) {
	return gmtime_r(seconds, broken_down) == 0;
}

static void set_zone(void) {
	sqlite3_test_control(TESTCTRL_LOCALTIME_FAULT, USE_THE_FUNCTION_GIVEN, utc_is_local);
}

// A SQLite built without test controls ignores the call above.
static int has_zone(void) { return !sqlite3_compileoption_used("UNTESTABLE"); }
*/
import "C"

import "errors"

// SQLite keeps its time zone for a whole process, not for a connection. It is set
// before the program starts, to one value that never changes, as if SQLite had been
// compiled with it: a connection cannot have two answers in its life, and setting it
// races with nothing.
func init() { C.set_zone() }

// fixedZone returns an error if this SQLite takes its time zone from the process.
func fixedZone() error {
	if C.has_zone() == 0 {
		return errors.New("this SQLite is built with SQLITE_UNTESTABLE and takes its time zone from the process: nodes would differ")
	}
	return nil
}
