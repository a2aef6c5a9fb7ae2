package sqlite

/*
int sqlite3_stmt_isexplain(void *stmt);
*/
import "C"

import (
	"reflect"

	"github.com/mattn/go-sqlite3"
)

// explains tells whether the statement is an EXPLAIN or EXPLAIN QUERY PLAN: it changes
// nothing, though SQLite's sqlite3_stmt_readonly answers for what it explains. whole must
// have been asked before.
func explains(stmt *sqlite3.SQLiteStmt) bool {
	return C.sqlite3_stmt_isexplain(reflect.ValueOf(stmt).Elem().FieldByName("s").UnsafePointer()) != 0
}
