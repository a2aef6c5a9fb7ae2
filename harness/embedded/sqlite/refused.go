package sqlite

// refuseFunctions replaces refused functions by functions that fail. SQLite does not call the
// authorizer for every expression, such as the CHECK of a column added by ALTER TABLE.
func (c *Conn) refuseFunctions() error {
	for _, name := range []string{"load_extension", "fts3_tokenizer", "total_changes"} {
		fails := func(...any) (any, error) {
			err := refusedError(refusedFunction(name))
			c.auth.reason = err.Error()
			return nil, err
		}
		if err := c.raw.RegisterFunc(name, fails, false); err != nil {
			return err
		}
	}
	return nil
}
