// Package edn reads EDN, Clojure's data notation (https://github.com/edn-format/edn):
// as much of it as saved histories need.
//
//	nil, true, 12, 1.5, "text"     nil, bool, int64, float64, string
//	:key                           Keyword, without its colon
//	symbol, \c                     Symbol, rune
//	[1 2], (1 2)                   Vector
//	{:a 1}                         Map, in the order of the text
//	#{1 2}                         Set, in the order of the text
//	#tag value                     Tagged
//
// Comments and discarded values (#_) are skipped.
package edn

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Keyword is a name that stands for itself, without its colon.
type Keyword string

// Symbol is a name that stands for something else.
type Symbol string

// Vector is a vector or a list.
type Vector []any

// Set is a set, in the order of the text.
type Set []any

// Map is a map, in the order of the text.
type Map []Pair

// Pair is an entry of a Map.
type Pair struct{ Key, Value any }

// Tagged is a value with a tag, without its #.
type Tagged struct {
	Tag   string
	Value any
}

// Get is the value of a keyword; nil if the map has none.
func (m Map) Get(key string) any {
	for _, p := range m {
		if p.Key == Keyword(key) {
			return p.Value
		}
	}
	return nil
}

// Text is the value as EDN has it, on one line. Maps and sets keep their order.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return fmt.Sprintf("%q", v)
	case rune:
		return `\` + string(v)
	case Keyword:
		return ":" + string(v)
	case Vector:
		return "[" + texts(v) + "]"
	case Set:
		return "#{" + texts(v) + "}"
	case Map:
		entries := make([]string, len(v))
		for i, p := range v {
			entries[i] = Text(p.Key) + " " + Text(p.Value)
		}
		return "{" + strings.Join(entries, ", ") + "}"
	case Tagged:
		return "#" + v.Tag + " " + Text(v.Value)
	}
	return fmt.Sprint(v)
}

func texts(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = Text(v)
	}
	return strings.Join(words, " ")
}

// Reader reads one value after the other. It is not safe for concurrent use.
type Reader struct {
	in    io.RuneScanner
	line  int
	depth int
}

// NewReader returns a reader of in. It blocks on in.
func NewReader(in io.RuneScanner) *Reader { return &Reader{in: in, line: 1} }

// Line is the line of the text that the reader is at, from 1.
func (r *Reader) Line() int { return r.line }

// Read returns the next value, or io.EOF at the end of the text. Other errors name the
// line.
func (r *Reader) Read() (any, error) {
	v, err := r.value()
	if err == nil || errors.Is(err, io.EOF) {
		return v, err
	}
	return nil, fmt.Errorf("line %d: %w", r.line, err)
}
