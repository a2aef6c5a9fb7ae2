package sqltext

import (
	"fmt"
	"strings"
)

// longestNamespace is the maximum length of a namespace name, in bytes.
const longestNamespace = 63

// readNamespace parses a statement that begins with CREATE NAMESPACE or DROP NAMESPACE at byte
// start of the text.
func (s *Statement) readNamespace(sql string, start int) error {
	tokens, err := lex(s.Text)
	if err != nil {
		return err
	}
	r := reader{sql: s.Text, tokens: tokens}
	var grammar string
	if r.accept("CREATE", "NAMESPACE") {
		s.Kind, grammar = CreateNamespace, "CREATE NAMESPACE [IF NOT EXISTS] name"
		s.IfNotExists = r.accept("IF", "NOT", "EXISTS")
	} else if r.accept("DROP", "NAMESPACE") {
		s.Kind, grammar = DropNamespace, "DROP NAMESPACE [IF EXISTS] name [CASCADE | RESTRICT]"
		s.IfExists = r.accept("IF", "EXISTS")
	}
	name := r.peek(0)
	named := name.kind == word || name.kind == quotedName
	if named {
		r.next++
		s.Namespace = fold(unquote(r.spelled(name)))
		if s.Kind == DropNamespace {
			if s.Cascade = r.accept("CASCADE"); !s.Cascade {
				r.accept("RESTRICT")
			}
		}
	}
	if end := r.peek(0); !named || end.kind != nothing {
		found := r.spelled(end)
		if end.kind == nothing {
			found = "the end of the statement"
		}
		return syntaxError(sql, start+end.at, "expected %s, found %s", grammar, found)
	}
	if problem := invalidName(s.Namespace); problem != "" {
		return syntaxError(sql, start+name.at, "invalid namespace %q: %s", s.Namespace, problem)
	}
	return nil
}

// invalidName returns why a lower-case name is not valid for a namespace, or "".
func invalidName(name string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz_"
	switch {
	case name == "" || !strings.ContainsRune(letters, rune(name[0])) || strings.Trim(name, letters+"0123456789") != "":
		return "a name has ASCII letters, digits and underscores only, and does not begin with a digit"
	case len(name) > longestNamespace:
		return fmt.Sprintf("a name has at most %d bytes", longestNamespace)
	case name == "main" || name == "temp" || strings.HasPrefix(name, "sqlite_"):
		return "the name belongs to SQLite"
	case strings.HasPrefix(name, "rejoin"):
		return "names that begin with rejoin belong to the database"
	}
	return ""
}
