package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ParseRow parses the JSON array of one row, as returned by Reader.Raw, into its values. The
// values do not refer to raw. An error contains the number of the value, counted from 1.
func ParseRow(raw []byte) ([]any, error) {
	return new(parser).row(raw, 0)
}

// parser parses JSON that is completely in memory. It can be reused.
type parser struct {
	b    []byte
	i    int
	room []byte // buffer for the text of one string
}

// row parses a row. expected is a hint for the number of values.
func (p *parser) row(raw []byte, expected int) ([]any, error) {
	p.b, p.i = raw, 0
	if p.peek() != '[' {
		return nil, fmt.Errorf("%s is not an array", quoted(raw))
	}
	p.i++
	values := make([]any, 0, expected)
	if p.peek() == ']' {
		p.i++
		return values, p.end()
	}
	for {
		v, err := p.value()
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", len(values)+1, err)
		}
		values = append(values, v)
		switch p.peek() {
		case ',':
			p.i++
		case ']':
			p.i++
			return values, p.end()
		default:
			return nil, fmt.Errorf("value %d is followed by %s", len(values), quoted(p.b[p.i:]))
		}
	}
}

// peek skips white space and returns the next byte, or 0 at the end.
func (p *parser) peek() byte {
	for ; p.i < len(p.b); p.i++ {
		if c := p.b[p.i]; kinds[c] != blank {
			return c
		}
	}
	return 0
}

func (p *parser) end() error {
	if p.peek(); p.i < len(p.b) {
		return fmt.Errorf("it is followed by %s", quoted(p.b[p.i:]))
	}
	return nil
}

func (p *parser) value() (any, error) {
	switch c := p.peek(); {
	case c == '"':
		return p.text()
	case c == '-' || isDigit(c):
		return p.number()
	case c == '{':
		return p.tagged()
	case c == '[':
		return nil, errors.New("an array is not a value")
	case p.word("null"):
		return nil, nil
	case p.word("true"):
		return int64(1), nil
	case p.word("false"):
		return int64(0), nil
	}
	return nil, fmt.Errorf("%s is not a value", quoted(p.b[p.i:]))
}

func (p *parser) word(word string) bool {
	found := bytes.HasPrefix(p.b[p.i:], []byte(word))
	if found {
		p.i += len(word)
	}
	return found
}

// next consumes a string or an object, by its quotes or brackets only.
func (p *parser) next() []byte {
	var find scan
	begin := p.b[p.i:]
	_, _ = find.run(begin) // the parser of the value reports errors
	p.i += find.n
	return begin[:find.n]
}

func (p *parser) text() (any, error) {
	start := p.i + 1
	end := plainEnd(p.b, start)
	if at(p.b, end) == '"' {
		p.i = end + 1
		return string(p.b[start:end]), nil
	}
	literal := p.next()
	text, err := jsontext.AppendUnquote(p.room[:0], literal)
	if err != nil {
		return nil, fmt.Errorf("%s is not a valid string: %w", quoted(literal), err)
	}
	p.room = text
	return string(text), nil
}

// plainEnd returns the index of the first byte from i on that needs decoding or ends a string.
func plainEnd(b []byte, i int) int {
	for i < len(b) && ' ' <= b[i] && b[i] < utf8.RuneSelf && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// tagged parses {"base64":"…"} or {"text_base64":"…"}.
func (p *parser) tagged() (any, error) {
	object := p.next()
	var members struct {
		Blob []byte `json:"base64"`
		Text []byte `json:"text_base64"`
	}
	err := json.Unmarshal(object, &members, json.RejectUnknownMembers(true))
	if err == nil && (members.Blob == nil) == (members.Text == nil) {
		err = errors.New("it must have exactly one of these keys")
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf(`%s is neither {"base64":"…"} nor {"text_base64":"…"}: %w`, quoted(object), err)
	case members.Text != nil:
		return string(members.Text), nil
	default:
		return members.Blob, nil
	}
}

// quoted returns the beginning of some input, for an error text.
func quoted(b []byte) string {
	const most = 40
	if len(b) == 0 {
		return "nothing"
	}
	if len(b) > most {
		return strconv.Quote(string(b[:most])) + "…"
	}
	return strconv.Quote(string(b))
}
