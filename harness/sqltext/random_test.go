package sqltext_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// author generates random queries with few names for many objects, so that they collide.
type author struct {
	*rand.Rand
	scopes [][]table // from the outermost to the innermost
}

type table struct{ namespace, called string }

func pick[T any](a *author, from ...T) T { return from[a.IntN(len(from))] }

func (a *author) query(depth int) string {
	with, name := "", pick(a, "t", "u")
	if depth > 0 && a.IntN(5) == 0 {
		// In SQLite a common table expression sees the scope where it is used, not where it is
		// written. Here it must see nothing.
		outer := a.scopes
		a.scopes = nil
		with = fmt.Sprintf("WITH c AS (SELECT 1 AS id), %s AS (SELECT id, x FROM c JOIN (%s) USING (id)) ", name, a.query(depth-1))
		a.scopes = outer
	}
	var from []table
	var clause strings.Builder
	for i := range 1 + a.IntN(2) {
		if i > 0 {
			clause.WriteString(pick(a, ", ", " JOIN ", " LEFT JOIN "))
		}
		t := table{pick(a, "", "main", "ns", "a", "b"), pick(a, "t", "u")}
		if with != "" && i == 0 {
			t = table{"", name} // SQLite does not check unused common table expressions
		}
		text := t.called
		if t.namespace != "" {
			text = t.namespace + "." + text
		}
		switch {
		case depth > 0 && (with == "" || i > 0) && a.IntN(8) == 0:
			outer := a.scopes
			t = table{"", pick(a, "t", "u", "o")}
			text = "(" + a.query(depth-1) + ") AS " + t.called
			a.scopes = outer
		case a.IntN(3) == 0:
			t.called = pick(a, "t", "u", "o", "p")
			text += pick(a, " ", " AS ") + t.called
		}
		from = append(from, t)
		clause.WriteString(text)
	}
	a.scopes = append(a.scopes, from)
	defer func() { a.scopes = a.scopes[:len(a.scopes)-1] }()

	text := with + fmt.Sprintf("SELECT %s AS id, %s AS x FROM %s", a.column("id"), a.column("x"), clause.String())
	for i := range a.IntN(3) {
		text += []string{" WHERE ", " AND "}[i] + a.condition(depth)
	}
	if a.IntN(6) == 0 {
		text += " ORDER BY " + a.column("x") + ", 1, 2"
	}
	return text
}

func (a *author) condition(depth int) string {
	if depth == 0 {
		return a.column("id") + pick(a, " <= ", " <> ") + a.column("id")
	}
	switch a.IntN(5) {
	case 0:
		return "EXISTS (" + a.query(depth-1) + ")"
	case 1:
		return a.column("id") + " IN (SELECT id FROM (" + a.query(depth-1) + "))"
	case 2:
		return a.column("id") + " IN " + pick(a, "ns.ids", "a.ids")
	case 3:
		return "(" + a.column("id") + ", 1) IN (" + a.compound(depth-1) + ")"
	}
	return a.column("id") + " = " + a.column("id")
}

func (a *author) compound(depth int) string {
	return "SELECT id, 1 FROM (" + a.query(depth) + ") UNION SELECT id, 1 FROM (" + a.query(depth) + ")"
}

// column returns a column of a table in scope, in a random notation.
func (a *author) column(name string) string {
	scope := a.scopes[len(a.scopes)-1-a.IntN(min(2, len(a.scopes)))]
	t := scope[a.IntN(len(scope))]
	if t.namespace != "" && a.IntN(2) == 0 {
		return t.namespace + "." + t.called + "." + name
	}
	return t.called + "." + name
}

// change returns a statement that changes a table and returns the changed rows.
func (a *author) change(depth int) string {
	t := table{pick(a, "main", "ns", "a", "b"), pick(a, "t", "u")}
	name, as := t.namespace+"."+t.called, ""
	returning := " RETURNING id, x, " + t.called + ".x"
	if a.IntN(3) == 0 {
		t.called = pick(a, "t", "u", "o")
		as = " AS " + t.called
	}
	a.scopes = [][]table{{t}}
	switch a.IntN(3) {
	case 0:
		return "DELETE FROM " + name + as + " WHERE " + a.condition(depth) + returning
	case 1:
		return "UPDATE " + name + as + " SET x = " + a.column("x") + " || '!', id = (SELECT max(id) FROM (" + a.query(depth-1) + "))" +
			" WHERE " + a.condition(depth) + returning
	}
	a.scopes = nil
	query := a.query(depth)
	a.scopes = [][]table{{t}}
	return "INSERT INTO " + name + as + " SELECT * FROM (" + query + ") WHERE true" +
		" ON CONFLICT (id) DO UPDATE SET x = excluded.x || " + a.column("x") + " WHERE " + a.condition(depth-1) + returning
}

// compare runs one random statement in both twins and rolls it back. It returns whether the
// statement succeeded on the reference.
func compare(pair *twins, seed uint64) (compared bool, problem error) {
	a := &author{Rand: rand.New(rand.NewPCG(seed, 0))}
	var query string
	if a.IntN(3) == 0 {
		query = a.change(2)
	} else {
		query = a.query(2)
	}
	pair.both("BEGIN")
	defer pair.both("ROLLBACK")
	attached, emulated := pair.both(query)
	if attached.Err != nil {
		return false, nil
	}
	if emulated.Err != nil {
		return true, fmt.Errorf("seed %d: %s: %w", seed, query, emulated.Err)
	}
	slices.Sort(attached.Rows)
	slices.Sort(emulated.Rows)
	if !slices.Equal(attached.Rows, emulated.Rows) {
		return true, fmt.Errorf("seed %d: %s: attached files return %v, rewritten namespaces %v", seed, query, attached.Rows, emulated.Rows)
	}
	return true, nil
}

// createTables creates tables of the same names in every namespace.
func createTables(pair *twins) error {
	for _, namespace := range []string{"main", "ns", "a", "b"} {
		for _, name := range []string{"t", "u"} {
			for _, statement := range []string{
				"CREATE TABLE %[1]s.%[2]s (id UNIQUE, x)",
				"INSERT INTO %[1]s.%[2]s VALUES (1, '%[1]s %[2]s 1'), (2, '%[1]s %[2]s 2'), (2 + length('%[1]s'), '%[1]s %[2]s 3')",
				"CREATE TABLE IF NOT EXISTS %[1]s.ids AS SELECT 1 AS id UNION SELECT 4 UNION SELECT length('%[1]s')",
			} {
				attached, emulated := pair.both(fmt.Sprintf(statement, namespace, name))
				if attached.Err != nil {
					return attached.Err
				}
				if emulated.Err != nil {
					return emulated.Err
				}
			}
		}
	}
	return nil
}

var _ = It("Random statements have the same results as with attached files", func() {
	pair, err := newTwins()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return pair.Close() })
	Expect(createTables(pair)).To(Succeed())

	compared := 0
	for seed := range uint64(5000) {
		ok, err := compare(pair, seed)
		Expect(err).NotTo(HaveOccurred())
		if ok {
			compared++
		}
	}
	Expect(compared).To(BeNumerically(">", 1000), "nothing was compared")
})
