package sqltext

import "strings"

type kind byte

const (
	nothing    kind = iota // end of the text
	space                  // white space and comments
	word                   // a keyword, or a name without quotes
	quotedName             // "..", `..` or [..]
	quotedText             // '..', which SQLite also accepts as a name where only a name is allowed
	literal                // a number or a blob
	parameter              // ?, ?1, :a, @a or $a
	operator
	dot
	comma
	semicolon
	opening
	closing
	star
	broken // not a valid token
)

// token is one token of a text.
type token struct {
	keyword // zero unless a word
	kind    kind
	at, end int
}

// lex returns the tokens of the text without white space and comments.
func lex(sql string) ([]token, error) {
	tokens := make([]token, 0, len(sql)/2+2)
	for i := 0; i < len(sql); {
		k, end := scan(sql, i)
		t := token{kind: k, at: i, end: end}
		switch k {
		case space:
			i = end
			continue
		case broken:
			return nil, brokenToken(sql, i, end)
		case word:
			t.keyword = keywordOf(sql[i:end])
		default: // no keyword
		}
		tokens = append(tokens, t)
		i = end
	}
	return tokens, nil
}

// scan returns the kind and the end of the token that starts at byte i.
func scan(sql string, i int) (kind, int) {
	c := sql[i]
	if k := single[c]; k != nothing {
		return k, i + 1
	}
	switch c {
	case ' ', '\t', '\n', '\f', '\r':
		return space, skip(sql, i, blank)
	case '-':
		if at(sql, i+1) == '-' {
			return space, after(sql, i+2, "\n")
		}
		return operator, i + 1
	case '/':
		if at(sql, i+1) == '*' {
			return space, after(sql, i+2, "*/")
		}
		return operator, i + 1
	case '!':
		if at(sql, i+1) == '=' {
			return operator, i + 2
		}
		return broken, i + 1
	case '\'':
		return scanQuoted(sql, i, quotedText)
	case '"', '`':
		return scanQuoted(sql, i, quotedName)
	case '[':
		if n := strings.IndexByte(sql[i:], ']'); n > 0 {
			return quotedName, i + n + 1
		}
		return broken, len(sql)
	case '?':
		return parameter, skip(sql, i+1, digit)
	case '$', ':', '@', '#':
		return scanParameter(sql, i)
	case '.':
		if class[at(sql, i+1)]&digit == 0 {
			return dot, i + 1
		}
		return scanNumber(sql, i)
	case 'x', 'X':
		if at(sql, i+1) == '\'' {
			return scanBlob(sql, i)
		}
	case 0xEF:
		if strings.HasPrefix(sql[i:], "\uFEFF") {
			return space, i + len("\uFEFF")
		}
	}
	switch {
	case class[c]&digit != 0:
		return scanNumber(sql, i)
	case class[c]&inName != 0:
		return word, skip(sql, i, inName)
	}
	return broken, i + 1
}

func scanQuoted(sql string, i int, k kind) (kind, int) {
	quote := sql[i]
	for i++; ; i++ {
		n := strings.IndexByte(sql[i:], quote)
		if n < 0 {
			return broken, len(sql)
		}
		i += n + 1
		if at(sql, i) != quote {
			return k, i
		}
	}
}

func scanNumber(sql string, i int) (kind, int) {
	if sql[i] == '0' && at(sql, i+1)|0x20 == 'x' && class[at(sql, i+2)]&hex != 0 {
		i = skip(sql, i+2, hex|underscore)
	} else {
		i = skip(sql, i, digit|underscore)
		if at(sql, i) == '.' {
			i = skip(sql, i+1, digit|underscore)
		}
		if at(sql, i)|0x20 == 'e' {
			power := i + 1
			if c := at(sql, power); c == '+' || c == '-' {
				power++
			}
			if class[at(sql, power)]&digit != 0 {
				i = skip(sql, power, digit|underscore)
			}
		}
	}
	if end := skip(sql, i, inName); end > i {
		return broken, end
	}
	return literal, i
}

func scanBlob(sql string, i int) (kind, int) {
	digits := i + len("x'")
	i = skip(sql, digits, hex)
	if at(sql, i) != '\'' || (i-digits)%2 != 0 {
		return broken, after(sql, i, "'")
	}
	return literal, i + 1
}

// scanParameter scans a named parameter. As in Tcl, it may contain :: and end in parentheses
// without white space.
func scanParameter(sql string, i int) (kind, int) {
	named := false
	for i++; ; i++ {
		switch c := at(sql, i); {
		case class[c]&inName != 0:
			named = true
		case c == ':' && at(sql, i+1) == ':':
			i++
		case c == '(' && named:
			n := strings.IndexAny(sql[i:], ") \t\n\v\f\r")
			if n < 0 || sql[i+n] != ')' {
				return broken, i + 1
			}
			return parameter, i + n + 1
		case named:
			return parameter, i
		default:
			return broken, i
		}
	}
}

// isNumbered returns whether the parameter has the form $1.
func isNumbered(parameter string) bool {
	return parameter[0] == '$' && skip(parameter, 1, digit) == len(parameter)
}

// brokenToken returns the error for the invalid token between two bytes.
func brokenToken(sql string, from, to int) error {
	switch sql[from] {
	case '\'':
		return syntaxError(sql, from, "unterminated string")
	case '"', '`', '[':
		return syntaxError(sql, from, "unterminated quoted identifier")
	case 0:
		return syntaxError(sql, from, "NUL byte in SQL text")
	}
	return syntaxError(sql, from, "unrecognised token %q", sql[from:to])
}
