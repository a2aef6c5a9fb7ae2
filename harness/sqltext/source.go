package sqltext

// maxSources is SQLite's limit.
const maxSources = 200

// scope is the set of tables that names in one SELECT, or in one changing statement, can refer
// to.
type scope struct {
	parent  *scope
	sources []*source
}

// source is a table, subquery or function in a scope.
type source struct {
	object
	alias   token  // zero if there is none
	called  string // the alias or the name, in lower case
	renamed bool   // named by its stored identifier, if it is virtual
}

func (s *source) aliased() bool { return s.alias.kind != nothing }

// fullName returns the name of a renamed source.
func (s *source) fullName() string { return quoteIn(s.namespace, s.called) }

// find returns the innermost source that a name can refer to, with or without a namespace, and
// whether that scope has several. Of several, a renamed one is returned.
func (s *scope) find(namespace, called string) (found *source, several bool) {
	for ; s != nil && found == nil; s = s.parent {
		for _, c := range s.sources {
			if c.called != called || namespace != "" && namespace != c.namespace {
				continue
			}
			several = found != nil
			if !several || c.renamed {
				found = c
			}
		}
	}
	return found, several
}

// source parses a table of a FROM clause, up to its ON or USING.
func (q *qualifier) source(l *level) {
	s := &source{}
	if q.peek(0).kind == opening {
		q.parentheses(level{outer: l.outer, here: l.here, from: true})
	} else {
		s.object = q.object()
		if q.peek(0).kind == opening {
			s.object = object{name: s.name} // functions have no namespace
			q.parentheses(level{outer: l.here, here: l.here})
		}
	}
	t := q.peek(0)
	if isName(t) && t.use() == freeName && !(t.upper() == "WINDOW" && q.definesWindow()) {
		q.alias(s)
	}
	q.add(l, s)
}

// definesWindow distinguishes the WINDOW clause from a name, like SQLite does. The word WINDOW is
// next.
func (q *qualifier) definesWindow() bool {
	name := q.peek(1)
	return isName(name) && name.use() != reserved && q.peek(2).upper() == "AS"
}

// target parses the table that a statement changes.
func (q *qualifier) target(l *level) {
	l.target = &scope{parent: l.outer}
	l.here, l.from = l.target, false
	q.add(l, &source{object: q.object(), renamed: q.trigger})
}

func (q *qualifier) add(l *level, s *source) {
	if q.accept("AS") && isName(q.peek(0)) {
		q.alias(s)
	}
	if !s.aliased() {
		s.called = fold(s.name)
	}
	if q.accept("INDEXED", "BY") {
		index := q.object()
		if index.namespace == "" {
			index.namespace = s.namespace
		}
		q.put(index, "")
	}
	if len(l.here.sources) == maxSources {
		q.fail("more than %d tables in one FROM clause", maxSources)
	}
	l.here.sources = append(l.here.sources, s)
	q.sources = append(q.sources, s)
}

func (q *qualifier) alias(s *source) {
	s.alias = q.peek(0)
	s.called = fold(unquote(q.spelled(s.alias)))
	q.next++
}

// returned returns the scope of the RETURNING clause of the statement with scope s. There SQLite
// accepts the table's name only, not its alias.
func (s *scope) returned(outer *scope) *scope {
	if len(s.sources) == 0 {
		return outer
	}
	return only(s.sources[0].object, outer)
}

// only returns a scope of one table that has no alias and cannot get one.
func only(o object, parent *scope) *scope {
	return &scope{parent, []*source{{object: o, called: fold(o.name), renamed: true}}}
}
