package sqlite

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// ReservedPrefix starts the names of the tables that belong to the database
// itself. Statements may read them, never change them.
const ReservedPrefix = "rejoin_"

// guard decides, while SQLite compiles a statement, whether it may do what it
// says, and remembers why not: SQLite only answers "not authorized". It also
// notes what has to be looked at when the statement has ended.
type guard struct {
	reads   bool // of a Reader
	trusted bool
	reason  string

	table    string // the table that is created or altered
	alters   bool   // the table is altered
	trigger  bool   // a trigger is created
	sequence bool   // sqlite_sequence is written
}

// ask begins a statement that is not trusted.
func (g *guard) ask() { *g = guard{reads: g.reads} }

func (g *guard) trust()    { g.trusted, g.reason = true, "" }
func (g *guard) distrust() { g.trusted = false }

const (
	outside     = "it reaches outside the database"
	transaction = "a request is one transaction; send the statements between BEGIN and COMMIT as one request"
	temporary   = "temporary objects are in one connection of one node and are not replicated; create an ordinary one and drop it"
	virtual     = "what a virtual table keeps is not replicated"
	statistics  = "nodes would use the statistics from different moments on and return rows in different orders"
)

func (g *guard) authorize(action int, arg1, arg2, database string) int {
	if g.trusted {
		return sqlite3.SQLITE_OK
	}
	if why := g.refusal(action, arg1, arg2, database); why != "" {
		if g.reason == "" {
			g.reason = why
		}
		return sqlite3.SQLITE_DENY
	}
	g.note(action, arg1, arg2)
	return sqlite3.SQLITE_OK
}

func (g *guard) note(action int, arg1, arg2 string) {
	switch action {
	case sqlite3.SQLITE_CREATE_TABLE:
		g.table = arg1
	case sqlite3.SQLITE_ALTER_TABLE:
		g.table, g.alters = arg2, true
	case sqlite3.SQLITE_CREATE_TRIGGER:
		g.trigger = true
	case sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE:
		g.sequence = g.sequence || arg1 == "sqlite_sequence"
	}
}

// refusal returns why an action is refused, or "".
// The actions and their arguments: https://sqlite.org/c3ref/c_alter_table.html
func (g *guard) refusal(action int, arg1, arg2, database string) string {
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
		return g.refusedPragma(strings.ToLower(arg1))
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

// refusedPragma lets those through that only ask, also as functions such as
// pragma_table_info('t'). A change may ask what all nodes answer with the same rows in
// the same order.
func (g *guard) refusedPragma(name string) string {
	switch name {
	case "table_info", "table_xinfo", "index_list", "index_info", "index_xinfo", "foreign_key_list":
		return ""
	case "table_list", "foreign_key_check", "function_list", "collation_list", "module_list", "pragma_list", "compile_options":
		if g.reads {
			return ""
		}
		const message = "PRAGMA %s is refused in a request that changes data: the order of its rows may differ between nodes; send it alone"
		return fmt.Sprintf(message, name)
	}
	if name == "quick_check" && g.alters {
		return "" // SQLite's own question, of a new column's CHECK
	}
	return fmt.Sprintf("PRAGMA %s is refused: it is about one node's connection or file, not about the database that all nodes share", name)
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
