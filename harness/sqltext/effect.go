package sqltext

import "strings"

// Reads returns whether the statement can only read. EXPLAIN and PRAGMA count as reading: EXPLAIN
// changes nothing, and pragmas that change something are refused elsewhere.
func (s Statement) Reads() bool {
	if s.Kind != Other {
		return false
	}
	switch s.verb() {
	case "SELECT", "VALUES", "EXPLAIN", "PRAGMA":
		return true
	}
	return false
}

// Explains returns whether the statement is an EXPLAIN or EXPLAIN QUERY PLAN.
func (s Statement) Explains() bool { return s.verb() == "EXPLAIN" }

// ChangesRows returns whether the statement inserts, updates or deletes rows.
func (s Statement) ChangesRows() bool {
	switch s.verb() {
	case "INSERT", "REPLACE", "UPDATE", "DELETE":
		return true
	}
	return false
}

// ChangesSchema returns whether the statement creates, alters or drops tables, indexes, views,
// triggers or namespaces.
func (s Statement) ChangesSchema() bool {
	switch s.verb() {
	case "CREATE", "ALTER", "DROP":
		return true
	}
	return false
}

// verb returns the statement's verb in upper case, after its common table expressions.
func (s Statement) verb() string {
	depth := 0
	with := false
	for i := 0; i < len(s.Text); {
		k, end := scan(s.Text, i)
		switch k {
		case opening:
			depth++
		case closing:
			depth--
		case word:
			verb := strings.ToUpper(s.Text[i:end])
			switch {
			case !with && verb == "WITH":
				with = true
			case !with:
				return verb
			case depth == 0 && isVerb(verb) && (verb != "REPLACE" || followedByInto(s.Text[end:])):
				return verb
			}
		default: // no verb
		}
		i = end
	}
	return ""
}

func isVerb(upper string) bool {
	switch upper {
	case "SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE":
		return true
	}
	return false
}

// followedByInto distinguishes REPLACE INTO from a common table expression named replace, which
// SQLite allows.
func followedByInto(text string) bool {
	for i := 0; i < len(text); {
		k, end := scan(text, i)
		if k != space {
			return k == word && strings.EqualFold(text[i:end], "INTO")
		}
		i = end
	}
	return false
}
