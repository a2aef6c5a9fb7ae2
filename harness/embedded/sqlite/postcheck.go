package sqlite

import (
	"errors"
	"io"

	"github.com/mattn/go-sqlite3"
)

const noRowidLeft = "sequence 9223372036854775807 is refused: no rowid is left after it"

// outOfRowids returns whether a statement needed a rowid after the last one of an AUTOINCREMENT
// table. SQLite reports that with the same code as a full disk, which a write would have
// detected.
func (c *Conn) outOfRowids(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && primary(e) == sqlite3.ErrFull && !c.env.full()
}

const atRandom = "SQLite would choose further rowids at random, differently on each node"

// postcheck returns io.EOF, the end of a successful statement, unless the statement did something
// forbidden that the authorizer does not see. The caller must then undo the statement.
func (c *Conn) postcheck(reserved int64) error {
	if c.mode != Writer {
		return io.EOF
	}
	if c.env.lastRowid() {
		return refusedError("rowid 9223372036854775807 is refused: " + atRandom)
	}
	if c.auth.sequence {
		const spent = "SELECT 1 FROM sqlite_sequence WHERE CAST(seq AS INTEGER) = 9223372036854775807"
		if found, err := c.Lookup(spent); err != nil {
			return err
		} else if found != nil {
			return refusedError(noRowidLeft)
		}
	}
	if c.auth.trigger {
		// For CREATE TRIGGER temp.x the authorizer gets the schema of the trigger's table.
		if found, err := c.Lookup("SELECT 1 FROM sqlite_temp_schema"); err != nil {
			return err
		} else if found != nil {
			return refusedError("CREATE TEMP is refused: " + temporary)
		}
	}
	if c.auth.table != "" {
		// A foreign key would prevent the database from changing its own tables.
		const parent = `SELECT "table" FROM pragma_foreign_key_list(?) WHERE "table" LIKE 'rejoin\_%' ESCAPE '\'`
		if found, err := c.Lookup(parent, c.auth.table); err != nil {
			return err
		} else if found != nil {
			return refusedError(refusedTable(found.(string)))
		}
	}
	if now, err := c.reserved(); err != nil {
		return err
	} else if now > reserved {
		return refusedError(refusedTable(ReservedPrefix))
	}
	return io.EOF
}

// reserved returns the number of tables with a reserved name if the current statement may rename
// a table, which the authorizer does not see. Otherwise it returns 0.
func (c *Conn) reserved() (int64, error) {
	if !c.auth.alters {
		return 0, nil
	}
	count, err := c.Lookup(`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE 'rejoin\_%' ESCAPE '\'`)
	if err != nil {
		return 0, err
	}
	return count.(int64), nil
}
