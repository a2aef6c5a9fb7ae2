package sqltext

// object is a table, index, view or trigger as it is written: t or ns.t.
type object struct {
	from, to  int    // the bytes that name it
	namespace string // in lower case, "" if none is written
	name      string
	trigger   bool // a trigger, whose names are apart from all others
}

// Name is the name of an object in a namespace.
type Name struct {
	Namespace string // in lower case
	Name      string // as it is written
	Trigger   bool   // triggers have names apart from those of tables, views and indexes
}

// Key is the identifier that the object is stored under, in lower case. SQLite holds identifiers
// for equal that differ in the case of ASCII letters only.
func (n Name) Key() string { return n.Namespace + "." + fold(n.Name) }

// object reads the name of an object, and returns the zero object if there is none.
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

// named is the object that two tokens name, or only one.
func (q *qualifier) named(first, last token) object {
	o := object{from: first.at, to: last.end, name: unquote(q.spelled(last))}
	if first != last {
		o.namespace = fold(unquote(q.spelled(first)))
	}
	return o
}

// virtual tells an object of a namespace of ours from one that SQLite knows under the name written.
func (o object) virtual() bool {
	return o.namespace != "" && o.namespace != "main" && o.namespace != "temp"
}

func (o object) named() Name { return Name{Namespace: o.namespace, Name: o.name, Trigger: o.trigger} }

// define is put for the name of what the statement creates.
func (q *qualifier) define(o object) {
	if o.virtual() {
		q.defines = o.named()
	}
	q.put(o, "")
}

// put writes the object's identifier in the place of its name, if it is virtual.
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

// join gives of two objects that belong together each the namespace that only the other is written
// with.
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
