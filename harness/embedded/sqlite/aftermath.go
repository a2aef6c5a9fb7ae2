package sqlite

import (
	"errors"
	"io"

	"github.com/mattn/go-sqlite3"
)

const noRowidLeft = "sequence 9223372036854775807 is refused: no rowid is left after it"

// outOfRowids tells whether a statement wanted a rowid after the last one of an
// AUTOINCREMENT table. SQLite says the same of that as of a full disk, which a write
// would have met.
func (c *Conn) outOfRowids(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && primary(e) == sqlite3.ErrFull && !c.around.full()
}

const atRandom = "SQLite would choose the rowids after it at random, each node others"

// aftermath is io.EOF, the end of a statement that went well, unless the
// statement did what must not be and what the authorizer is not told. Whoever
// ran it has to undo it.
func (c *Conn) aftermath(reserved int64) error {
	if c.mode != Writer {
		return io.EOF
	}
	if c.around.lastRowid() {
		return refusedError("rowid 9223372036854775807 is refused: " + atRandom)
	}
	if c.guard.sequence {
		const spent = "SELECT 1 FROM sqlite_sequence WHERE CAST(seq AS INTEGER) = 9223372036854775807"
		if found, err := c.Lookup(spent); err != nil {
			return err
		} else if found != nil {
			return refusedError(noRowidLeft)
		}
	}
	if c.guard.trigger {
		// CREATE TRIGGER temp.x passes for one of its table's schema.
		if found, err := c.Lookup("SELECT 1 FROM sqlite_temp_schema"); err != nil {
			return err
		} else if found != nil {
			return refusedError("CREATE TEMP is refused: " + temporary)
		}
	}
	if c.guard.table != "" {
		// A foreign key would forbid the database to change its own tables.
		const parent = `SELECT "table" FROM pragma_foreign_key_list(?) WHERE "table" LIKE 'rejoin\_%' ESCAPE '\'`
		if found, err := c.Lookup(parent, c.guard.table); err != nil {
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

// reserved counts the tables with a reserved name if the statement under way
// may give a table another name, which the authorizer is not told.
func (c *Conn) reserved() (int64, error) {
	if !c.guard.alters {
		return 0, nil
	}
	count, err := c.Lookup(`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE 'rejoin\_%' ESCAPE '\'`)
	if err != nil {
		return 0, err
	}
	return count.(int64), nil
}
