package sqlite

/*
int sqlite3_stmt_isexplain(void *stmt);
*/
import "C"

import (
	"reflect"

	"github.com/mattn/go-sqlite3"
)

// explains returns whether the statement is an EXPLAIN or EXPLAIN QUERY PLAN. It changes nothing,
// although sqlite3_stmt_readonly describes the explained statement. single must have succeeded
// before.
func explains(stmt *sqlite3.SQLiteStmt) bool {
	return C.sqlite3_stmt_isexplain(reflect.ValueOf(stmt).Elem().FieldByName("s").UnsafePointer()) != 0
}
