package sqltext

// maxDepth is the maximum nesting depth of parentheses. It prevents a stack overflow, and is far
// above SQLite's own limit.
const maxDepth = 1000

// level is the parser's state inside one pair of parentheses.
type level struct {
	outer  *scope // the scope around a SELECT that starts here
	here   *scope // the scope in which names are resolved
	target *scope // the scope of the INSERT, UPDATE or DELETE, if any
	from   bool   // in a FROM clause, where a comma is followed by a table
}

// level parses up to the closing parenthesis, or to the end.
func (q *qualifier) level(l level) {
	for q.next < len(q.tokens) {
		switch t := q.peek(0); {
		case t.kind == closing && q.depth > 0:
			return
		case t.kind == opening:
			q.parentheses(level{outer: l.here, here: l.here})
		case t.kind == semicolon:
			q.next++
			l = level{outer: l.outer, here: l.outer}
		case t.kind == comma && l.from:
			q.next++
			q.source(&l)
		case q.reference(l.here):
		case t.upper() != "":
			q.clause(&l, t.upper())
		default:
			q.next++
		}
	}
}

// parentheses parses a pair of parentheses with its content.
func (q *qualifier) parentheses(l level) {
	if q.depth++; q.depth > maxDepth {
		q.fail("more than %d nested parentheses", maxDepth)
	}
	q.next++
	switch first := q.peek(0).upper(); {
	case !l.from:
	case first == "SELECT" || first == "VALUES" || first == "WITH":
		l.here, l.from = l.outer, false // a subquery in FROM does not see the tables beside it
	default:
		q.source(&l)
	}
	q.level(l)
	q.next++
	q.depth--
}

// clause parses a keyword, and the table name that follows it, if any.
func (q *qualifier) clause(l *level, upper string) {
	before := q.peek(-1).upper()
	q.next++
	switch upper {
	case "SELECT":
		l.here, l.from = &scope{parent: l.outer}, false
	case "VALUES", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT":
		l.from = false
	case "FROM":
		switch before {
		case "DISTINCT": // x IS DISTINCT FROM y
		case "DELETE":
			q.target(l)
		default:
			l.from = true
			q.source(l)
		}
	case "JOIN":
		q.source(l)
	case "INTO":
		q.target(l)
	case "UPDATE":
		if before != "ON" && before != "DO" {
			if q.accept("OR") {
				q.next++
			}
			q.target(l)
		}
	case "ON":
		if l.target != nil && q.peek(0).upper() == "CONFLICT" && (q.peek(1).kind == opening || q.peek(1).upper() == "DO") {
			l.here, l.from = l.target, false
		}
	case "RETURNING":
		if l.target != nil {
			l.here, l.from = l.target.returned(l.outer), false
		}
	case "IN":
		if o := q.object(); q.peek(0).kind != opening {
			q.put(o, "")
		}
	case "REFERENCES":
		o := q.object()
		if o.namespace == "" {
			o.namespace = q.home
		}
		q.put(o, "")
	}
}
