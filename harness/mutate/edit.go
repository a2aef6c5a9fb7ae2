package mutate

import (
	"cmp"
	"fmt"
	"go/ast"
	"slices"
)

// edit puts text before and after a piece of the source. Edits may be nested.
type edit struct {
	from, to      int // offsets
	before, after string
}

// wrap puts text around a node. Of two edits of the same node the later one is inside.
func (m *mutator) wrap(n ast.Node, before, after string) {
	m.edits = append(m.edits, edit{m.offset(n.Pos()), m.offset(n.End()), before, after})
}

// insertion is text that comes in at a place.
type insertion struct {
	at    int
	text  string
	ends  bool // what it belongs to
	width int  // of what it belongs to
	order int
}

// edited is the source with all edits, and with the import that they need on the line of
// the package clause, so that lines keep their numbers.
func (m *mutator) edited() []byte {
	all := []insertion{{at: m.offset(m.file.Name.End()), text: fmt.Sprintf("; import %s %q", alias, switchPackage)}}
	for i, e := range m.edits {
		all = append(all, insertion{e.from, e.before, false, e.to - e.from, i}, insertion{e.to, e.after, true, e.to - e.from, i})
	}
	slices.SortFunc(all, func(a, b insertion) int {
		if c := cmp.Compare(a.at, b.at); c != 0 {
			return c
		}
		switch {
		case a.ends != b.ends && a.ends:
			return -1
		case a.ends != b.ends:
			return 1
		case a.ends: // the inner one ends first
			return cmp.Or(cmp.Compare(a.width, b.width), cmp.Compare(b.order, a.order))
		}
		return cmp.Or(cmp.Compare(b.width, a.width), cmp.Compare(a.order, b.order))
	})
	var out []byte
	last := 0
	for _, i := range all {
		out = append(out, m.source[last:i.at]...)
		out = append(out, i.text...)
		last = i.at
	}
	return append(out, m.source[last:]...)
}
