package sqltext

// statement reads a whole statement.
func (q *qualifier) statement() {
	if q.accept("EXPLAIN") {
		q.accept("QUERY", "PLAN")
	}
	here := &scope{}
	switch q.next++; q.peek(-1).upper() {
	case "CREATE":
		here = q.create()
	case "ALTER":
		here = q.alter()
	case "DROP":
		q.next++
		q.accept("IF", "EXISTS")
		q.put(q.object(), "")
	case "ANALYZE", "REINDEX":
		q.put(q.object(), "")
	default:
		q.next--
	}
	q.level(level{outer: here, here: here})
}

// create reads the head of a definition, and returns the scope of the expressions in the rest.
func (q *qualifier) create() *scope {
	temporary := q.accept("TEMP") || q.accept("TEMPORARY")
	virtual := q.accept("VIRTUAL")
	q.accept("UNIQUE")
	what := q.peek(0).upper()
	q.next++
	q.accept("IF", "NOT", "EXISTS")
	o := q.object()
	switch what {
	case "TABLE":
		q.put(o, "")
		if virtual {
			q.next = len(q.tokens) // what follows is in the language of a module
		}
		if q.peek(0).kind == opening {
			return q.inside(o)
		}
	case "VIEW":
		q.put(o, "")
	case "INDEX", "TRIGGER":
		if q.trigger = what == "TRIGGER"; q.trigger && temporary {
			o.namespace = "temp"
		}
		for q.next < len(q.tokens) && !q.accept("ON") {
			q.next++
		}
		table := q.object()
		if o.namespace != "temp" || table.namespace == "" {
			q.join(&o, &table)
		}
		q.put(o, "")
		q.put(table, "")
		if what == "INDEX" {
			return q.inside(table)
		}
	}
	return &scope{}
}

// alter reads ALTER TABLE up to the definition of a new column, and returns the scope of that.
func (q *qualifier) alter() *scope {
	if !q.accept("TABLE") {
		return &scope{}
	}
	table := q.object()
	q.put(table, "")
	if q.accept("RENAME", "TO") {
		renamed := q.object()
		if table.namespace == "" {
			table.namespace = "main"
		}
		q.join(&renamed, &table)
		q.put(renamed, "")
	}
	return q.inside(table)
}

// inside is the scope of the expressions in the definition of a table or of its index.
func (q *qualifier) inside(table object) *scope {
	q.home = table.namespace
	return only(table, nil)
}
