package sqlite

// SQLite keeps in its schema what it works out when it compiles a statement, such as
// the columns of a view, and does not work it out again for the next. So what a
// statement takes hangs a little on what was compiled before, on each node something
// else. How much that can be is bounded here: after statements that took so much to
// compile, all that is kept is thrown away.

// keptPart is which part of a request's limits what is kept may be worth.
const keptPart = 8

// noteKept adds what was taken since before to what may be kept.
func (c *Conn) noteKept(before Cost) {
	now := c.around.taken()
	c.kept.Steps += now.Steps - before.Steps
	c.kept.Memory += now.Memory - before.Memory
}

// boundKept throws away what is kept if it may be worth too much.
func (c *Conn) boundKept(steps, memory int64) error {
	if c.mode != Writer || c.kept.Steps <= steps/keptPart && c.kept.Memory <= memory/keptPart {
		return nil
	}
	return c.Fresh()
}

// Fresh brings the connection to a state that is the same on every node at the start
// of a transaction: nothing is kept from statements before. What a request takes that
// begins now is the same everywhere, to the step and to the byte.
func (c *Conn) Fresh() error {
	c.kept = Cost{}
	// ALTER TABLE looks at the temporary database, too, and makes it if it is missing.
	if err := c.Trusted("PRAGMA temp.user_version = 0; PRAGMA writable_schema = RESET"); err != nil {
		return err
	}
	_, err := c.Lookup("SELECT 1 FROM sqlite_schema LIMIT 1") // reads the schema again
	return err
}
