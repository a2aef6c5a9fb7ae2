// Package edn reads the part of EDN, Clojure's data notation (https://github.com/edn-format/edn), that saved
// histories use.
//
//	nil, true, 12, 1.5, "text"     nil, bool, int64, float64, string
//	:key                           Keyword, without its colon
//	symbol, \c                     Symbol, rune
//	[1 2], (1 2)                   Vector
//	{:a 1}                         Map, in source order
//	#{1 2}                         Set, in source order
//	#tag value                     Tagged
//
// It skips comments and discarded values (#_).
package edn

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Keyword is a keyword, without its colon.
type Keyword string

// Symbol is a symbol.
type Symbol string

// Vector is a vector or a list.
type Vector []any

// Set is a set, in source order.
type Set []any

// Map is a map, in source order.
type Map []Pair

// Pair is an entry of a Map.
type Pair struct{ Key, Value any }

// Tagged is a value with a tag, without its #.
type Tagged struct {
	Tag   string
	Value any
}

// Get returns the value of a keyword key; nil if the map has no such key.
func (m Map) Get(key string) any {
	for _, p := range m {
		if p.Key == Keyword(key) {
			return p.Value
		}
	}
	return nil
}

// Text formats the value as EDN on one line. Maps and sets keep their order.
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

// Reader reads a sequence of values. It is not safe for concurrent use.
type Reader struct {
	in    io.RuneScanner
	line  int
	depth int
}

// NewReader returns a reader of in. [Reader.Read] blocks while in blocks.
func NewReader(in io.RuneScanner) *Reader { return &Reader{in: in, line: 1} }

// Line returns the current line, counted from 1.
func (r *Reader) Line() int { return r.line }

// Read returns the next value, or io.EOF at the end of the input. Other errors begin with the line.
func (r *Reader) Read() (any, error) {
	v, err := r.value()
	if err == nil || errors.Is(err, io.EOF) {
		return v, err
	}
	return nil, fmt.Errorf("line %d: %w", r.line, err)
}
