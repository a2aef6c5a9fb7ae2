package sqltext

// object is a table, index, view or trigger as written: t or ns.t.
type object struct {
	from, to  int    // byte range of the name
	namespace string // in lower case, "" if none is written
	name      string
	trigger   bool // triggers have a separate name space
}

// Name is the name of an object in a namespace.
type Name struct {
	Namespace string // in lower case
	Name      string // as written
	Trigger   bool   // triggers have a name space separate from tables, views and indexes
}

// Key returns the identifier under which the object is stored, in lower case. SQLite ignores the
// case of ASCII letters in identifiers.
func (n Name) Key() string { return n.Namespace + "." + fold(n.Name) }

// object parses the name of an object, and returns the zero object if there is none.
func (q *qualifier) object() object {
	first := q.peek(0)
	if !isName(first) {
		return object{}
	}
	q.next++
	if last := q.peek(1); q.peek(0).kind == dot && isName(last) {
		q.next += 2
		return q.named(first, last)
	}
	return q.named(first, first)
}

// named returns the object that one or two tokens name.
func (q *qualifier) named(first, last token) object {
	o := object{from: first.at, to: last.end, name: unquote(q.spelled(last))}
	if first != last {
		o.namespace = fold(unquote(q.spelled(first)))
	}
	return o
}

// virtual returns whether the object is in an emulated namespace. SQLite knows all other objects
// under the written name.
func (o object) virtual() bool {
	return o.namespace != "" && o.namespace != "main" && o.namespace != "temp"
}

func (o object) named() Name { return Name{Namespace: o.namespace, Name: o.name, Trigger: o.trigger} }

// define is put for the name that the statement creates.
func (q *qualifier) define(o object) {
	if o.virtual() {
		q.defines = o.named()
	}
	q.put(o, "")
}

// put replaces the object's name by its stored identifier, if it is virtual.
func (q *qualifier) put(o object, suffix string) {
	if o.to == 0 || !o.virtual() {
		return
	}
	if err := q.check(o.named()); err != nil {
		q.stop(err)
		return
	}
	q.edits = append(q.edits, edit{o.from, o.to, quoteIn(o.namespace, o.name) + suffix})
}

// join gives two related objects the namespace that only one of them is written with.
func (q *qualifier) join(a, b *object) {
	switch {
	case a.namespace == "":
		a.namespace = b.namespace
	case b.namespace == "":
		b.namespace = a.namespace
	case a.namespace != b.namespace:
		q.fail("%s.%s and %s.%s must be in one namespace", a.namespace, a.name, b.namespace, b.name)
	}
}

func isName(t token) bool {
	return t.kind == word || t.kind == quotedName || t.kind == quotedText
}
