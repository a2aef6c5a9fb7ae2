package sqltext

import "strings"

type kind byte

const (
	nothing    kind = iota // what follows the last token
	space                  // white space and comments
	word                   // a keyword, or a name without quotes
	quotedName             // "..", `..` or [..]
	quotedText             // '..', which SQLite also takes for a name where only a name can stand
	literal                // a number or a blob
	parameter              // ?, ?1, :a, @a or $a
	operator
	dot
	comma
	semicolon
	opening
	closing
	star
	broken // what SQLite takes for no token at all
)

// token is one piece of a text.
type token struct {
	keyword // zero unless a word
	kind    kind
	at, end int
}

// lex returns the tokens of the text, white space left out.
func lex(sql string) ([]token, error) {
	tokens := make([]token, 0, min(len(sql)/4+8, 1<<16))
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
		}
		tokens = append(tokens, t)
		i = end
	}
	return tokens, nil
}

// scan returns the kind of the token that starts at byte i, and where it ends.
func scan(sql string, i int) (kind, int) {
	c := sql[i]
	switch c {
	case ' ', '\t', '\n', '\f', '\r':
		for i++; isSpace(at(sql, i)); i++ {
		}
		return space, i
	case '-':
		if at(sql, i+1) != '-' {
			return operator, i + 1
		}
		return space, after(sql, i+2, "\n")
	case '/':
		if at(sql, i+1) != '*' {
			return operator, i + 1
		}
		return space, after(sql, i+2, "*/")
	case '.':
		if !isDigit(at(sql, i+1)) {
			return dot, i + 1
		}
		return scanNumber(sql, i)
	case ',':
		return comma, i + 1
	case ';':
		return semicolon, i + 1
	case '(':
		return opening, i + 1
	case ')':
		return closing, i + 1
	case '*':
		return star, i + 1
	case '+', '%', '=', '<', '>', '|', '&', '~':
		return operator, i + 1
	case '!':
		if at(sql, i+1) != '=' {
			return broken, i + 1
		}
		return operator, i + 2
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
		for i++; isDigit(at(sql, i)); i++ {
		}
		return parameter, i
	case '$', ':', '@', '#':
		return scanParameter(sql, i)
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
	case isDigit(c):
		return scanNumber(sql, i)
	case nameByte[c]:
		return word, endOfName(sql, i+1)
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
	if sql[i] == '0' && at(sql, i+1)|0x20 == 'x' && isHex(at(sql, i+2)) {
		for i += 3; isHex(at(sql, i)) || at(sql, i) == '_'; i++ {
		}
	} else {
		i = endOfDigits(sql, i)
		if at(sql, i) == '.' {
			i = endOfDigits(sql, i+1)
		}
		if at(sql, i)|0x20 == 'e' {
			sign := 0
			if c := at(sql, i+1); c == '+' || c == '-' {
				sign = 1
			}
			if isDigit(at(sql, i+1+sign)) {
				i = endOfDigits(sql, i+1+sign)
			}
		}
	}
	if end := endOfName(sql, i); end > i {
		return broken, end
	}
	return literal, i
}

func scanBlob(sql string, i int) (kind, int) {
	digits := i + 2
	for i = digits; isHex(at(sql, i)); i++ {
	}
	if at(sql, i) != '\'' || (i-digits)%2 != 0 {
		return broken, after(sql, i, "'")
	}
	return literal, i + 1
}

// scanParameter reads a named parameter, which may hold :: and end in a parenthesis without white
// space, as the names of Tcl do.
func scanParameter(sql string, i int) (kind, int) {
	named := false
	for i++; ; i++ {
		switch c := at(sql, i); {
		case nameByte[c]:
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

// brokenToken says what is wrong with the broken token between two bytes.
func brokenToken(sql string, from, to int) error {
	switch sql[from] {
	case '\'':
		return syntaxError(sql, from, "a string starts here and does not end")
	case '"', '`', '[':
		return syntaxError(sql, from, "a quoted identifier starts here and does not end")
	case 0:
		return syntaxError(sql, from, "SQL text cannot hold a NUL byte")
	}
	return syntaxError(sql, from, "unrecognised token %q", sql[from:to])
}

var nameByte = func() (set [256]bool) {
	for c := range set {
		lower := c | 0x20
		set[c] = c >= 0x80 || '0' <= c && c <= '9' || 'a' <= lower && lower <= 'z' || c == '_' || c == '$'
	}
	return set
}()

// at is the byte at i, or NUL past the end.
func at(s string, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

// after is where the first mark from i on ends, or the end of the text.
func after(s string, i int, mark string) int {
	if n := strings.Index(s[i:], mark); n >= 0 {
		return i + n + len(mark)
	}
	return len(s)
}

func endOfName(s string, i int) int {
	for i < len(s) && nameByte[s[i]] {
		i++
	}
	return i
}

func endOfDigits(s string, i int) int {
	for isDigit(at(s, i)) || at(s, i) == '_' {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
