package mutate

import (
	"cmp"
	"fmt"
	"go/ast"
	"slices"
)

// edit inserts text before and after a range of the source. Edits may nest.
type edit struct {
	from, to      int // offsets
	before, after string
}

// wrap puts text around a node. Of two edits of the same node, the later one is inside.
func (m *mutator) wrap(n ast.Node, before, after string) {
	m.edits = append(m.edits, edit{m.offset(n.Pos()), m.offset(n.End()), before, after})
}

// insertion is a text to insert at an offset.
type insertion struct {
	at    int
	text  string
	ends  bool // it ends its edit
	width int  // of its edit, in bytes
	order int  // of its edit
}

// edited returns the source with all edits applied. The import that they need is on the line of the package clause,
// so that line numbers do not change.
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
		case a.ends: // the inner one first
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
