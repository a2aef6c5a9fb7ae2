package edn

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// mostNested is the maximum nesting depth.
const mostNested = 1000

// closed is a closing character in place of a value.
type closed rune

func (c closed) Error() string { return fmt.Sprintf("unexpected %q", rune(c)) }

var errCutOff = errors.New("unexpected end of input within a value")

// value reads a value. The error is io.EOF at the end of the input and closed at the end of the current
// collection.
func (r *Reader) value() (any, error) {
	for {
		c, err := r.next()
		switch {
		case err != nil:
			return nil, err
		case unicode.IsSpace(c), c == ',':
			continue
		case c == ';':
			if err := r.skipLine(); err != nil {
				return nil, err
			}
			continue
		}
		v, skip, err := r.valueFrom(c)
		if err != nil || !skip {
			return v, err
		}
	}
}

// valueFrom reads the value that begins with c. skip is true if the value is discarded.
func (r *Reader) valueFrom(c rune) (v any, skip bool, err error) {
	switch c {
	case '[':
		v, err = r.vector(']')
	case '(':
		v, err = r.vector(')')
	case '{':
		v, err = r.mapping()
	case ']', ')', '}':
		err = closed(c)
	case '"':
		v, err = r.text()
	case '\\':
		v, err = r.character()
	case '#':
		return r.dispatch()
	default:
		v, err = r.atom(c)
	}
	return v, false, err
}

// dispatch reads what follows a #.
func (r *Reader) dispatch() (v any, skip bool, err error) {
	c, err := r.inside()
	if err != nil {
		return nil, false, err
	}
	switch c {
	case '{':
		values, err := r.until('}')
		return Set(values), false, err
	case '_':
		_, err := r.part()
		return nil, true, err
	case '#': // ##Inf, ##NaN
		name, err := r.word(0)
		return Symbol("##" + name), false, err
	}
	tag, err := r.word(c)
	if err != nil {
		return nil, false, err
	}
	value, err := r.part()
	return Tagged{tag, value}, false, err
}

// part reads a value within another value. The end of the input is an error here.
func (r *Reader) part() (any, error) {
	if r.depth++; r.depth > mostNested {
		return nil, fmt.Errorf("values are nested more than %d deep", mostNested)
	}
	v, err := r.value()
	r.depth--
	if errors.Is(err, io.EOF) {
		return nil, errCutOff
	}
	return v, err
}

// until reads the values of a collection.
func (r *Reader) until(end rune) ([]any, error) {
	values := []any{}
	for {
		v, err := r.part()
		if at, is := errors.AsType[closed](err); is && rune(at) == end {
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
}

func (r *Reader) vector(end rune) (Vector, error) { return r.until(end) }

func (r *Reader) mapping() (Map, error) {
	values, err := r.until('}')
	if err != nil {
		return nil, err
	}
	if len(values)%2 != 0 {
		return nil, errors.New("a map has a key without a value")
	}
	m := Map{}
	for i := 0; i < len(values); i += 2 {
		m = append(m, Pair{values[i], values[i+1]})
	}
	return m, nil
}

func (r *Reader) text() (string, error) {
	var b strings.Builder
	for {
		c, err := r.inside()
		switch {
		case err != nil:
			return "", err
		case c == '"':
			return b.String(), nil
		case c != '\\':
			b.WriteRune(c)
			continue
		}
		escaped, err := r.escaped()
		if err != nil {
			return "", err
		}
		b.WriteRune(escaped)
	}
}

func (r *Reader) escaped() (rune, error) {
	c, err := r.inside()
	if err != nil {
		return 0, err
	}
	switch c {
	case 'n':
		return '\n', nil
	case 't':
		return '\t', nil
	case 'r':
		return '\r', nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case '\\', '"':
		return c, nil
	case 'u':
		digits := make([]rune, 4)
		for i := range digits {
			if digits[i], err = r.inside(); err != nil {
				return 0, err
			}
		}
		code, err := strconv.ParseUint(string(digits), 16, 16)
		return rune(code), err
	}
	return 0, fmt.Errorf(`unknown escape \%c in a string`, c)
}

// character reads what follows a backslash.
func (r *Reader) character() (rune, error) {
	c, err := r.inside()
	if err != nil {
		return 0, err
	}
	name, err := r.word(c)
	if err != nil {
		return 0, err
	}
	named := map[string]rune{"newline": '\n', "return": '\r', "space": ' ', "tab": '\t', "formfeed": '\f', "backspace": '\b'}
	runes := []rune(name)
	switch code, is := named[name]; {
	case is:
		return code, nil
	case len(runes) == 1:
		return c, nil
	case len(runes) == 5 && c == 'u':
		code, err := strconv.ParseUint(string(runes[1:]), 16, 16)
		return rune(code), err
	}
	return 0, fmt.Errorf(`unknown character \%s`, name)
}

// atom reads a number, a keyword or a symbol.
func (r *Reader) atom(first rune) (any, error) {
	name, err := r.word(first)
	if err != nil {
		return nil, err
	}
	switch {
	case name == "nil":
		return nil, nil
	case name == "true", name == "false":
		return name == "true", nil
	case name[0] == ':' && len(name) > 1:
		return Keyword(name[1:]), nil
	case isNumber(name):
		return number(name)
	}
	return Symbol(name), nil
}

func isNumber(name string) bool {
	digits := strings.TrimLeft(name, "+-")
	return len(name)-len(digits) <= 1 && digits != "" && digits[0] >= '0' && digits[0] <= '9'
}

func number(name string) (any, error) {
	if whole, err := strconv.ParseInt(strings.TrimSuffix(name, "N"), 10, 64); err == nil {
		return whole, nil
	}
	float, err := strconv.ParseFloat(strings.TrimSuffix(name, "M"), 64)
	if err != nil || !strings.ContainsAny(name, ".eE") {
		return nil, fmt.Errorf("%s does not fit into 64 bits", name)
	}
	return float, nil
}

// word reads up to the end of a word. first, unless 0, has already been read and belongs to it.
func (r *Reader) word(first rune) (string, error) {
	var b strings.Builder
	if first != 0 {
		b.WriteRune(first)
	}
	for {
		c, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return b.String(), nil
		case err != nil:
			return "", err
		case unicode.IsSpace(c), strings.ContainsRune(`,;"()[]{}`, c):
			return b.String(), r.back(c)
		}
		b.WriteRune(c)
	}
}

func (r *Reader) skipLine() error {
	for {
		if c, err := r.next(); err != nil || c == '\n' {
			return err
		}
	}
}

func (r *Reader) next() (rune, error) {
	c, _, err := r.in.ReadRune()
	if err == nil && c == '\n' {
		r.line++
	}
	return c, err
}

// inside is next within a value, where the end of the input is an error.
func (r *Reader) inside() (rune, error) {
	c, err := r.next()
	if errors.Is(err, io.EOF) {
		return 0, errCutOff
	}
	return c, err
}

func (r *Reader) back(c rune) error {
	if c == '\n' {
		r.line--
	}
	return r.in.UnreadRune()
}
