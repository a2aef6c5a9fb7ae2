package sqlite

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// ReservedPrefix is the prefix of the names of the database's own tables. Statements may read
// these tables, but not change them.
const ReservedPrefix = "rejoin_"

// authorizer decides, while SQLite compiles a statement, whether each action is allowed. It keeps
// the reason of a refusal, because SQLite only reports "not authorized". It also records what
// postcheck must check.
type authorizer struct {
	reads   bool // the connection is a Reader
	trusted bool
	reason  string

	table    string // the table created or altered
	alters   bool   // a table is altered
	trigger  bool   // a trigger is created
	sequence bool   // sqlite_sequence is written
}

// reset prepares for a client's statement.
func (a *authorizer) reset() { *a = authorizer{reads: a.reads} }

func (a *authorizer) trust()    { a.trusted, a.reason = true, "" }
func (a *authorizer) distrust() { a.trusted = false }

const (
	outside     = "it reaches outside the database"
	transaction = "a request is one transaction; send the statements between BEGIN and COMMIT as one request"
	temporary   = "temporary objects exist in one connection of one node and are not replicated; create an ordinary object and drop it"
	virtual     = "the storage of a virtual table is not replicated"
	statistics  = "nodes would start to use the statistics at different times and return rows in different orders"
)

func (a *authorizer) authorize(action int, arg1, arg2, database string) int {
	if a.trusted {
		return sqlite3.SQLITE_OK
	}
	if why := a.refusal(action, arg1, arg2, database); why != "" {
		if a.reason == "" {
			a.reason = why
		}
		return sqlite3.SQLITE_DENY
	}
	a.record(action, arg1, arg2)
	return sqlite3.SQLITE_OK
}

func (a *authorizer) record(action int, arg1, arg2 string) {
	switch action {
	case sqlite3.SQLITE_CREATE_TABLE:
		a.table = arg1
	case sqlite3.SQLITE_ALTER_TABLE:
		a.table, a.alters = arg2, true
	case sqlite3.SQLITE_CREATE_TRIGGER:
		a.trigger = true
	case sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE:
		a.sequence = a.sequence || arg1 == "sqlite_sequence"
	}
}

// refusal returns why an action is refused, or "".
// The actions and their arguments: https://sqlite.org/c3ref/c_alter_table.html
func (a *authorizer) refusal(action int, arg1, arg2, database string) string {
	if database == "temp" {
		switch action {
		case sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_CREATE_VIEW, sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_CREATE_TRIGGER:
			return "CREATE TEMP is refused: " + temporary
		}
	}
	switch action {
	case sqlite3.SQLITE_ATTACH:
		return "ATTACH is refused: " + outside
	case sqlite3.SQLITE_DETACH:
		return "DETACH is refused: " + outside
	case sqlite3.SQLITE_PRAGMA:
		return a.refusedPragma(strings.ToLower(arg1))
	case sqlite3.SQLITE_TRANSACTION:
		return arg1 + " is refused: " + transaction
	case sqlite3.SQLITE_SAVEPOINT:
		return "SAVEPOINT is refused: " + transaction
	case sqlite3.SQLITE_CREATE_TEMP_INDEX, sqlite3.SQLITE_CREATE_TEMP_TABLE,
		sqlite3.SQLITE_CREATE_TEMP_TRIGGER, sqlite3.SQLITE_CREATE_TEMP_VIEW:
		return "CREATE TEMP is refused: " + temporary
	case sqlite3.SQLITE_ANALYZE:
		return "ANALYZE is refused: " + statistics
	case sqlite3.SQLITE_CREATE_VTABLE:
		return "CREATE VIRTUAL TABLE is refused: " + virtual
	case sqlite3.SQLITE_FUNCTION:
		return refusedFunction(strings.ToLower(arg2))
	case sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE, sqlite3.SQLITE_DROP_TABLE:
		return refusedTable(arg1)
	case sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_CREATE_VIEW:
		return refusedTable(arg1)
	case sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_CREATE_TRIGGER:
		return cmp.Or(refusedTable(arg1), refusedTable(arg2))
	case sqlite3.SQLITE_ALTER_TABLE:
		return refusedTable(arg2)
	}
	return ""
}

// refusedPragma allows read-only pragmas, also as functions such as pragma_table_info('t'). A
// change may use only those that return the same rows in the same order on all nodes.
func (a *authorizer) refusedPragma(name string) string {
	switch name {
	case "table_info", "table_xinfo", "index_list", "index_info", "index_xinfo", "foreign_key_list":
		return ""
	case "table_list", "foreign_key_check", "function_list", "collation_list", "module_list", "pragma_list", "compile_options":
		if a.reads {
			return ""
		}
		const message = "PRAGMA %s is refused in a request that changes data: the order of its rows may differ between nodes; send it alone"
		return fmt.Sprintf(message, name)
	}
	if name == "quick_check" && a.alters {
		return "" // run by SQLite for the CHECK of a new column
	}
	return fmt.Sprintf("PRAGMA %s is refused: it is about one node's connection or file, not about the replicated database", name)
}

func refusedFunction(name string) string {
	switch name {
	case "load_extension":
		return "load_extension() is refused: " + outside
	case "fts3_tokenizer":
		return "fts3_tokenizer() is refused: " + outside
	case "total_changes":
		return "total_changes() is refused: it counts since a node's connection was opened, so nodes differ; changes() counts within the request"
	}
	return ""
}

func refusedTable(name string) string {
	if len(name) >= len(ReservedPrefix) && strings.EqualFold(name[:len(ReservedPrefix)], ReservedPrefix) {
		return fmt.Sprintf("%s is refused: names that start with %s belong to the database itself", name, ReservedPrefix)
	}
	return ""
}
