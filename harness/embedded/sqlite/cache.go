package sqlite

// SQLite caches results of compilation in its schema, such as the columns of a view, and does not
// repeat the work for later statements. So the cost of a statement depends a little on earlier
// statements, which differ between nodes. This file limits that difference: after statements
// whose compilation cost enough, the cache is cleared.

// cachedPart is the fraction of a request's limits that the cached compilations may be worth, as
// a divisor.
const cachedPart = 8

// noteCached adds the cost since before to the possible worth of the cache.
func (c *Conn) noteCached(before Cost) {
	now := c.env.taken()
	c.cached.Steps += now.Steps - before.Steps
	c.cached.Memory += now.Memory - before.Memory
}

// limitCached clears the cache if it may be worth too much.
func (c *Conn) limitCached(steps, memory int64) error {
	if c.mode != Writer || c.cached.Steps <= steps/cachedPart && c.cached.Memory <= memory/cachedPart {
		return nil
	}
	return c.Fresh()
}

// Fresh clears all cached compilations. Called at the start of a transaction, it makes the cost
// of the following request the same on every node, to the step and to the byte.
func (c *Conn) Fresh() error {
	c.cached = Cost{}
	// ALTER TABLE also reads the temporary database, and creates it if it is missing.
	if err := c.Trusted("PRAGMA temp.user_version = 0; PRAGMA writable_schema = RESET"); err != nil {
		return err
	}
	_, err := c.Lookup("SELECT 1 FROM sqlite_schema LIMIT 1") // loads the schema again
	return err
}
