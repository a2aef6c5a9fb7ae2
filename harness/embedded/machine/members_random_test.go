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

// shelf is a namespace n with what is in it, and a database around it whose names look alike.
type shelf struct {
	*node
	*rand.Rand
	members map[string]bool // by type and name in lower case: whether it is in n
}

func (s *shelf) one(of ...string) string { return of[s.IntN(len(of))] }

// written is a name, in n if it is qualified; the stored name of both spellings is "n.x".
func (s *shelf) written(name string, qualified bool) string {
	if qualified {
		return s.one("n.", "N.", `"n".`) + s.one(name, strings.ToUpper(name))
	}
	return fmt.Sprintf(`"%s.%s"`, s.one("n", "N"), name)
}

// statement is one that defines, renames or drops something, and the name it defines in n.
func (s *shelf) statement() (sql, defines string) {
	qualified := s.IntN(2) == 0
	name := s.one("a", "b", "c")
	object, kind := s.written(name, qualified), s.one("TABLE", "VIEW", "INDEX", "TRIGGER")
	table := s.one("plain", s.written(s.one("a", "b"), false))
	switch s.IntN(8) {
	case 0, 1:
		sql = "CREATE TABLE " + s.one("", "IF NOT EXISTS ") + object + s.one(" (v)", " AS SELECT 1 AS v")
	case 2:
		sql = "CREATE VIEW " + object + " AS SELECT 1 AS v"
	case 3:
		if qualified {
			table = s.one("a", "b")
		}
		sql = "CREATE INDEX " + object + " ON " + table + " (v)"
	case 4:
		if qualified {
			table = s.one("a", "b")
		}
		sql = "CREATE TRIGGER " + object + " AFTER INSERT ON " + table + " BEGIN SELECT 1; END"
	case 5:
		name = s.one("a", "b", "c")
		if renamed := name; qualified {
			return "ALTER TABLE " + object + " RENAME TO " + renamed, "n." + renamed
		}
		return "ALTER TABLE " + object + " RENAME TO " + s.one(s.written(name, false), "plain"), ""
	default:
		return "DROP " + kind + " " + s.one("", "IF EXISTS ") + object, ""
	}
	if qualified {
		defines = "n." + name
	}
	return sql, defines
}

// objects are what clients have made, by type and name in lower case.
func (s *shelf) objects() map[string]bool {
	GinkgoHelper()
	found := map[string]bool{}
	for _, row := range s.read("SELECT type || ' ' || lower(name) FROM sqlite_schema WHERE name NOT LIKE 'rejoin_%' AND name NOT LIKE 'sqlite_%'") {
		found[row[0].(string)] = true
	}
	return found
}

func (s *shelf) noted() map[string]bool {
	GinkgoHelper()
	found := map[string]bool{}
	for _, row := range s.read("SELECT type || ' ' || name FROM rejoin_objects WHERE namespace = 'n'") {
		found[row[0].(string)] = true
	}
	return found
}

var _ = It("What is in a namespace is what was made in it, whatever was done since", func() {
	succeeded := 0
	for seed := range uint64(40) {
		s := &shelf{node: open(machine.Options{}), Rand: rand.New(rand.NewPCG(seed, uint64(GinkgoRandomSeed()))), members: map[string]bool{}}
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
		for _, row := range s.read("SELECT type || ' ' || lower(name), 'table ' || lower(tbl_name), 'view ' || lower(tbl_name) FROM sqlite_schema WHERE type IN ('index', 'trigger')") {
			if s.members[row[1].(string)] || s.members[row[2].(string)] {
				delete(outside, row[0].(string)) // it goes with its table
			}
		}
		s.must("DROP NAMESPACE n CASCADE")
		Expect(s.objects()).To(Equal(outside), "seed %d: %s", seed, strings.Join(script, "\n"))
	}
	Expect(succeeded).To(BeNumerically(">", 400), "the statements are too wild")
})
