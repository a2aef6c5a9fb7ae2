package sqltext

import (
	"fmt"
	"strings"
)

// longestNamespace is in bytes.
const longestNamespace = 63

// readNamespace understands a statement that begins like one about namespaces and starts at the
// given byte of the text.
func (s *Statement) readNamespace(sql string, start int) error {
	tokens, err := lex(s.Text)
	if err != nil || tokens[1].upper != "NAMESPACE" {
		return err
	}
	i := 2
	is := func(i int, upper string) bool { return i < len(tokens) && tokens[i].upper == upper }
	refuse := func(format string, args ...any) error {
		at := start + len(s.Text)
		if i < len(tokens) {
			at = start + tokens[i].at
		}
		return syntaxError(sql, at, format, args...)
	}
	expected := func(what string) error {
		found := "the end of the statement"
		if i < len(tokens) {
			found = s.Text[tokens[i].at:tokens[i].end]
		}
		return refuse("%s NAMESPACE: expected %s, found %s", tokens[0].upper, what, found)
	}

	words, condition := []string{"IF", "EXISTS"}, &s.IfExists
	s.Kind = DropNamespace
	if tokens[0].upper == "CREATE" {
		words, condition = []string{"IF", "NOT", "EXISTS"}, &s.IfNotExists
		s.Kind = CreateNamespace
	}
	// IF alone, or before CASCADE, is a name.
	if is(i, "IF") && len(tokens) > i+1 && !is(i+1, "CASCADE") {
		for ; len(words) > 0; i, words = i+1, words[1:] {
			if !is(i, words[0]) {
				return expected(words[0])
			}
		}
		*condition = true
	}
	if i == len(tokens) || tokens[i].kind != word && tokens[i].kind != quotedName {
		return expected("the name of a namespace")
	}
	s.Namespace = fold(unquote(s.Text[tokens[i].at:tokens[i].end]))
	if problem := objection(s.Namespace); problem != "" {
		return refuse("%s", problem)
	}
	i++
	rest := "the end of the statement"
	if s.Kind == DropNamespace {
		rest = "CASCADE or " + rest
		if s.Cascade = is(i, "CASCADE"); s.Cascade {
			i++
		}
	}
	if i < len(tokens) {
		return expected(rest)
	}
	return nil
}

// objection is a sentence that says why a name, in lower case, cannot be a namespace's, or nothing.
func objection(name string) string {
	for i := range len(name) {
		if c := name[i]; !nameByte[c] || c >= 0x80 || c == '$' || i == 0 && isDigit(c) {
			return fmt.Sprintf("the name %q is not made of letters, digits and underscores alone, or begins with a digit", name)
		}
	}
	switch {
	case name == "":
		return "the name of a namespace cannot be empty"
	case len(name) > longestNamespace:
		return fmt.Sprintf("the name %q is longer than %d bytes", name, longestNamespace)
	case name == "main" || name == "temp" || strings.HasPrefix(name, "sqlite_"):
		return fmt.Sprintf("the name %q belongs to SQLite", name)
	case strings.HasPrefix(name, "rejoin"):
		return fmt.Sprintf("the name %q belongs to the database, like every name that begins with rejoin", name)
	}
	return ""
}
