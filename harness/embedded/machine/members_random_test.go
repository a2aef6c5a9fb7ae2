package machine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// schema generates statements around a namespace n, with names inside and outside n that look
// alike.
type schema struct {
	*node
	*rand.Rand
	members map[string]bool // by type and lower-case name: whether the object is in n
}

func (s *schema) pick(of ...string) string { return of[s.IntN(len(of))] }

// written returns a spelling of a name, in n if qualified. Both spellings are stored as "n.x".
func (s *schema) written(name string, qualified bool) string {
	if qualified {
		return s.pick("n.", "N.", `"n".`) + s.pick(name, strings.ToUpper(name))
	}
	return fmt.Sprintf(`"%s.%s"`, s.pick("n", "N"), name)
}

// statement returns a statement that defines, renames or drops an object, and the name it defines
// in n, if any.
func (s *schema) statement() (sql, defines string) {
	qualified := s.IntN(2) == 0
	name := s.pick("a", "b", "c")
	object, kind := s.written(name, qualified), s.pick("TABLE", "VIEW", "INDEX", "TRIGGER")
	table := s.pick("plain", s.written(s.pick("a", "b"), false))
	switch s.IntN(8) {
	case 0, 1:
		sql = "CREATE TABLE " + s.pick("", "IF NOT EXISTS ") + object + s.pick(" (v)", " AS SELECT 1 AS v")
	case 2:
		sql = "CREATE VIEW " + object + " AS SELECT 1 AS v"
	case 3:
		if qualified {
			table = s.pick("a", "b")
		}
		sql = "CREATE INDEX " + object + " ON " + table + " (v)"
	case 4:
		if qualified {
			table = s.pick("a", "b")
		}
		sql = "CREATE TRIGGER " + object + " AFTER INSERT ON " + table + " BEGIN SELECT 1; END"
	case 5:
		name = s.pick("a", "b", "c")
		if renamed := name; qualified {
			return "ALTER TABLE " + object + " RENAME TO " + renamed, "n." + renamed
		}
		return "ALTER TABLE " + object + " RENAME TO " + s.pick(s.written(name, false), "plain"), ""
	default:
		return "DROP " + kind + " " + s.pick("", "IF EXISTS ") + object, ""
	}
	if qualified {
		defines = "n." + name
	}
	return sql, defines
}

// objects returns the objects made by clients, by type and lower-case name.
func (s *schema) objects() map[string]bool {
	GinkgoHelper()
	found := map[string]bool{}
	for _, row := range s.read("SELECT type || ' ' || lower(name) FROM sqlite_schema WHERE name NOT LIKE 'rejoin_%' AND name NOT LIKE " +
		"'sqlite_%'") {
		found[row[0].(string)] = true
	}
	return found
}

func (s *schema) noted() map[string]bool {
	GinkgoHelper()
	found := map[string]bool{}
	for _, row := range s.read("SELECT type || ' ' || name FROM rejoin_objects WHERE namespace = 'n'") {
		found[row[0].(string)] = true
	}
	return found
}

var _ = It("A namespace contains exactly the objects made in it, after any statements", func() {
	succeeded := 0
	for seed := range uint64(40) {
		s := &schema{node: open(machine.Options{}), Rand: rand.New(rand.NewPCG(seed, uint64(GinkgoRandomSeed()))), members: map[string]bool{}}
		s.must("CREATE NAMESPACE n; CREATE TABLE plain (v)")
		var script []string
		for range 60 {
			before := s.objects()
			sql, defines := s.statement()
			err := s.do(sql).Err
			script = append(script, fmt.Sprint(sql, " -- ", err))
			after := s.objects()
			if err != nil {
				Expect(after).To(Equal(before), "seed %d: %s", seed, strings.Join(script, "\n"))
			} else {
				succeeded++
			}
			for object := range after {
				if _, name, _ := strings.Cut(object, " "); !before[object] {
					s.members[object] = name == defines
				}
			}
			maps.DeleteFunc(s.members, func(object string, in bool) bool { return !in || !after[object] })
			Expect(s.noted()).To(Equal(s.members), "seed %d: %s", seed, strings.Join(script, "\n"))
		}

		outside := s.objects()
		maps.DeleteFunc(outside, func(object string, _ bool) bool { return s.members[object] })
		for _, row := range s.read("SELECT type || ' ' || lower(name), 'table ' || lower(tbl_name), " +
			"'view ' || lower(tbl_name) FROM sqlite_schema WHERE type IN ('index', 'trigger')") {
			if s.members[row[1].(string)] || s.members[row[2].(string)] {
				delete(outside, row[0].(string)) // dropped with its table
			}
		}
		s.must("DROP NAMESPACE n CASCADE")
		Expect(s.objects()).To(Equal(outside), "seed %d: %s", seed, strings.Join(script, "\n"))
	}
	Expect(succeeded).To(BeNumerically(">", 400), "too many statements fail")
})
