package sqlite

// refuseFunctions puts functions that fail in the place of those that are refused. The
// authorizer is not asked about every expression: not about the CHECK of a column that
// ALTER TABLE adds.
func (c *Conn) refuseFunctions() error {
	for _, name := range []string{"load_extension", "fts3_tokenizer", "total_changes"} {
		fails := func(...any) (any, error) {
			err := refusedError(refusedFunction(name))
			c.guard.reason = err.Error()
			return nil, err
		}
		if err := c.raw.RegisterFunc(name, fails, false); err != nil {
			return err
		}
	}
	return nil
}
