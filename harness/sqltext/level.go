package sqltext

// deepest is how many parentheses may stand in each other. It keeps the walk off the end of the
// stack, far above what SQLite can make use of.
const deepest = 1000

// level is what the walk knows between one pair of parentheses.
type level struct {
	outer  *scope // what a SELECT that starts here can see around it
	here   *scope // what a name resolves against
	target *scope // of the INSERT, UPDATE or DELETE
	from   bool   // in a FROM clause, where a comma is followed by a table, or by a window at its end
}

// level reads up to the parenthesis that closes it, or to the end.
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

// parentheses reads a pair of parentheses and what is in it.
func (q *qualifier) parentheses(l level) {
	if q.depth++; q.depth > deepest {
		q.fail("more than %d nested parentheses", deepest)
	}
	q.next++
	switch first := q.peek(0).upper(); {
	case !l.from:
	case first == "SELECT" || first == "VALUES" || first == "WITH":
		l.here, l.from = l.outer, false // a query does not see the tables it stands beside
	default:
		q.source(&l)
	}
	q.level(l)
	q.next++
	q.depth--
}

// clause reads a keyword, and the name of a table if one follows it.
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
