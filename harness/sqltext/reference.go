package sqltext

// reference is the table in a qualified column: the t of t.col, the ns.t of ns.t.col.
type reference struct {
	object
	scope *scope
}

// reference parses a column that is qualified by its table, if one is next.
func (q *qualifier) reference(here *scope) bool {
	if q.peek(1).kind != dot {
		return false
	}
	first, second := q.peek(0), q.peek(2)
	if !isName(first) || !isName(second) && second.kind != star {
		return false
	}
	r := reference{q.named(first, first), here}
	q.next += 3
	if third := q.peek(1); isName(second) && q.peek(0).kind == dot && (isName(third) || third.kind == star) {
		q.next += 2
		r.object = q.named(first, second)
	}
	q.references = append(q.references, r)
	return true
}

// resolve rewrites all table names of the statement, once all of them are known.
//
// A table without an alias gets its unqualified name as alias, so that qualified columns remain
// valid. But if that name refers to tables of several namespaces, in any scope, each of them is
// named by its stored identifier, and so are its columns.
func (q *qualifier) resolve() {
	contested := q.contested()
	for _, s := range q.sources {
		if !s.virtual() {
			continue
		}
		s.renamed = s.renamed || contested[s.called]
		switch {
		case !s.renamed && !s.aliased():
			q.put(s.object, " AS "+quote(s.name))
		case s.renamed && s.aliased():
			q.edits = append(q.edits, edit{s.alias.at, s.alias.end, s.fullName()})
			fallthrough
		default:
			q.put(s.object, "")
		}
	}
	for _, r := range q.references {
		s, several := r.scope.find(r.namespace, fold(r.name))
		switch renamed := s != nil && s.renamed && s.virtual(); {
		case r.virtual() && (s == nil || renamed):
			q.put(r.object, "")
		case r.virtual():
			q.edits = append(q.edits, edit{r.from, r.to, quote(r.name)})
		case r.namespace == "" && renamed && several:
			q.fail("table name %s is ambiguous: qualify it with its namespace", r.name)
		case r.namespace == "" && renamed:
			q.edits = append(q.edits, edit{r.from, r.to, s.fullName()})
		}
	}
}

// contested returns the names that refer to tables of several namespaces. All objects outside the
// emulated namespaces count as one namespace.
func (q *qualifier) contested() map[string]bool {
	if len(q.sources) < 2 {
		return nil
	}
	var contested map[string]bool
	owners := make(map[string]string, len(q.sources))
	for _, s := range q.sources {
		owner := ""
		if s.virtual() {
			owner = s.namespace
		}
		if first, known := owners[s.called]; known && first != owner {
			if contested == nil {
				contested = map[string]bool{}
			}
			contested[s.called] = true
		}
		owners[s.called] = owner
	}
	return contested
}
