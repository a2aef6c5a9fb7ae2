package dialect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// expressions rewrites what may stand in any statement. It does so once.
func (r *rewriter) expressions() error {
	if r.expressed {
		return nil
	}
	r.expressed = true
	var params []any
	greatest := 0
	for i, t := range r.tokens {
		var err error
		switch {
		case r.text[i] == "": // replaced or dropped
		case t.Kind == sqltext.ParameterToken:
			greatest, params, err = r.parameter(i, greatest, params)
		case t.Kind == sqltext.LiteralToken && (t.Text[0] == 'x' || t.Text[0] == 'X'):
			r.text[i] = fmt.Sprintf(r.family.Blob, t.Text[2:len(t.Text)-1])
		case t.Kind == sqltext.NameToken && r.text[i] == t.Text:
			r.text[i] = quoted(t.Value)
		case t.Text == "=" && r.word(i+1) == "=" && r.tokens[i+1].From == t.To: // ==
			r.text[i+1] = ""
		case t.Kind == sqltext.WordToken:
			err = r.keyword(i)
		}
		if err != nil {
			return err
		}
	}
	if !r.family.Dollar {
		r.params = params
	}
	r.aliases()
	return nil
}

// parameter rewrites the parameter at token i. greatest is the greatest number so far, as SQLite counts.
func (r *rewriter) parameter(i, greatest int, params []any) (int, []any, error) {
	spelled := r.tokens[i].Text
	number := greatest + 1
	if spelled != "?" {
		n, err := strconv.Atoi(spelled[1:])
		if err != nil {
			return 0, nil, r.unsupported("the named parameter %s", spelled)
		}
		number = n
	}
	if number < 1 || number > len(r.part.params) {
		return 0, nil, r.unsupported("the parameter %s", spelled)
	}
	r.text[i] = "?"
	if r.family.Dollar {
		r.text[i] = "$" + strconv.Itoa(number)
	}
	return max(greatest, number), append(params, r.part.params[number-1]), nil
}

// ofSQLite are functions that SQLite has and others do not have, or have with another meaning.
var ofSQLite = strings.Fields(`changes char datetime glob group_concat hex ifnull iif instr json_array_length json_each json_extract
	julianday last_insert_rowid likelihood likely printf quote random randomblob sqlite_version strftime timediff total total_changes
	typeof unhex unicode unixepoch unlikely zeroblob`)

// keyword rewrites a word.
func (r *rewriter) keyword(i int) error {
	lower := strings.ToLower(r.tokens[i].Text)
	switch word := r.word(i); {
	case word == "GLOB":
		return r.glob(i)
	case word == "IS":
		return r.is(i)
	case word == "CAST" && r.word(i+1) == "(":
		r.cast(i)
	case slices.Contains(r.family.Reserved, lower):
		r.text[i] = quoted(lower)
	case r.word(i+1) == "(" && r.word(i-1) != "." && slices.Contains(ofSQLite, lower):
		own, has := r.family.Functions[lower]
		switch {
		case !has:
			return r.unsupported("SQLite's function %s", lower)
		case !strings.Contains(own, "("):
			r.text[i] = own
		case r.word(i+2) == ")":
			r.replace(i, i+3, own)
		default:
			return r.unsupported("%s with arguments", lower)
		}
	}
	return nil
}

// cast rewrites the type in CAST (… AS type).
func (r *rewriter) cast(i int) {
	end := r.closing(i + 1)
	as := end - 1
	for as > i && r.word(as) != "AS" {
		as--
	}
	if as == i {
		return
	}
	declared := strings.ToUpper(r.part.Text[r.tokens[as+1].From:r.tokens[end-1].To])
	to, known := r.family.Casts[declared]
	if !known {
		to = r.typeOf(declared, false)
	}
	r.replace(as+1, end, to)
}

// glob rewrites GLOB with a pattern of * and ? as LIKE.
func (r *rewriter) glob(i int) error {
	if i+1 >= len(r.tokens) || r.tokens[i+1].Kind != sqltext.TextToken || strings.ContainsAny(r.tokens[i+1].Value, "[!") {
		return r.unsupported("GLOB with such a pattern")
	}
	pattern := strings.NewReplacer("%", "!%", "_", "!_", "*", "%", "?", "_").Replace(r.tokens[i+1].Value)
	r.text[i] = "LIKE"
	r.text[i+1] = text(pattern) + " ESCAPE '!'"
	return nil
}

// is rewrites IS and IS NOT between two values.
func (r *rewriter) is(i int) error {
	operator, next := r.family.Same, i+1
	if r.word(next) == "NOT" {
		operator, next = r.family.Differs, i+2
	}
	if slices.Contains([]string{"NULL", "TRUE", "FALSE", "DISTINCT"}, r.word(next)) {
		return nil
	}
	if operator == "" {
		return r.unsupported("IS NOT between two values")
	}
	r.replace(i, next, operator)
	return nil
}

// aliases gives an alias to each subquery of a FROM clause that has none.
func (r *rewriter) aliases() {
	n := 0
	from := []bool{false} // by depth: in a FROM clause
	for i := range r.tokens {
		at := len(from) - 1
		switch w := r.word(i); w {
		case "(":
			inFrom := from[at] && slices.Contains([]string{"FROM", "JOIN", ","}, r.word(i-1))
			from = append(from, false)
			if !inFrom || !slices.Contains([]string{"SELECT", "VALUES", "WITH"}, r.word(i+1)) {
				continue
			}
			end := r.closing(i)
			if next := r.word(end + 1); next != "AS" && (end+1 >= len(r.tokens) || r.tokens[end+1].Kind == sqltext.OtherToken ||
				slices.Contains(afterSource, next)) {
				n++
				r.text[end] += fmt.Sprintf(" AS rejoin_%d", n)
			}
		case ")":
			if at > 0 {
				from = from[:at]
			}
		case "FROM", "JOIN":
			from[at] = true
		case "SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "SET", "RETURNING":
			from[at] = false
		}
	}
}

// afterSource are the words that may follow a table without an alias.
var afterSource = []string{
	"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS",
	"NATURAL", "ON", "USING", "WINDOW", "RETURNING",
}
