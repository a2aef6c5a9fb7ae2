package sqlite

/*
#include <time.h>

// https://sqlite.org/c3ref/c_testctrl_always.html
enum { TESTCTRL_LOCALTIME_FAULT = 18, USE_THE_FUNCTION_GIVEN = 2 };

int sqlite3_test_control(int op, ...);
int sqlite3_compileoption_used(const char *name);

// Has the signature expected by SQLite: time_t to struct tm, 0 for success.
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

// SQLite has one time zone per process, not per connection. It is set before main starts and
// never changes, as if SQLite had been compiled with it. So a connection always gives the same
// answer, and setting the zone cannot race with a connection.
func init() { C.set_zone() }

// fixedZone returns an error if this SQLite uses the time zone of the process.
func fixedZone() error {
	if C.has_zone() == 0 {
		return errors.New("this SQLite is built with SQLITE_UNTESTABLE and uses the time zone of the process: nodes would differ")
	}
	return nil
}
