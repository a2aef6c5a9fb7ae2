package sqltext

// statement parses a whole statement.
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
		what := q.peek(0).upper()
		q.next++
		q.accept("IF", "EXISTS")
		o := q.object()
		o.trigger = what == "TRIGGER"
		q.put(o, "")
	case "PRAGMA":
		q.pragma()
	case "ANALYZE", "REINDEX":
		q.put(q.object(), "")
	default:
		q.next--
	}
	q.level(level{outer: here, here: here})
}

// create parses the head of a definition, and returns the scope of the expressions in the rest.
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
		q.define(o)
		if virtual {
			q.next = len(q.tokens) // the arguments are in the module's own syntax
		}
		if q.peek(0).kind == opening {
			return q.inside(o)
		}
	case "VIEW":
		q.define(o)
	case "INDEX", "TRIGGER":
		if q.trigger = what == "TRIGGER"; q.trigger && temporary {
			o.namespace = "temp"
		}
		o.trigger = q.trigger
		for q.next < len(q.tokens) && !q.accept("ON") {
			q.next++
		}
		table := q.object()
		if o.namespace != "temp" || table.namespace == "" {
			q.join(&o, &table)
		}
		q.define(o)
		q.put(table, "")
		if what == "INDEX" {
			return q.inside(table)
		}
	}
	return &scope{}
}

// alter parses ALTER TABLE up to the definition of a new column, and returns the scope of that
// definition.
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
		q.define(renamed)
	}
	return q.inside(table)
}

// pragma parses PRAGMA ns.name(t) and the equivalent PRAGMA name(ns.t), and skips the rest.
func (q *qualifier) pragma() {
	pragma := q.object()
	written := q.spelled(q.peek(-1))
	if first := q.peek(0); first.kind == opening || q.spelled(first) == "=" {
		q.next++
		switch table := q.object(); {
		case table.to == 0 || !pragma.virtual():
			q.put(table, "")
		case table.namespace == "":
			table.namespace = pragma.namespace
			q.edits = append(q.edits, edit{pragma.from, pragma.to, written})
			q.put(table, "")
		default:
			q.fail("PRAGMA %s.%s(%s.%s) names two namespaces: write PRAGMA %s(%s.%s)", pragma.namespace, pragma.name,
				table.namespace, table.name, pragma.name, table.namespace, table.name)
		}
	}
	q.next = len(q.tokens)
}

// inside returns the scope of the expressions in the definition of a table or of its index.
func (q *qualifier) inside(table object) *scope {
	q.home = table.namespace
	return only(table, nil)
}
