package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// maxDepth is the maximum nesting depth of arrays and objects in a part of an answer. It is also
// the number of bits of scan.stack.
const maxDepth = 64

// scan finds the end of a JSON value by its brackets and quotes only. The value may arrive in
// pieces: call run again with the longer slice. It does not validate the value otherwise.
type scan struct {
	n        int    // bytes scanned
	depth    int    // open brackets
	stack    uint64 // open brackets, the innermost in the lowest bit: 1 for an object
	inString bool
	spaced   bool // white space was seen outside of strings
}

// Kinds of bytes outside a string.
const (
	ordinary = iota
	comma
	blank
	quote
	open
	closed
)

var kinds = [256]uint8{
	',': comma, ' ': blank, '\t': blank, '\n': blank, '\r': blank,
	'"': quote, '[': open, '{': open, ']': closed, '}': closed,
}

// run continues at s.n in b, which begins with the first byte of the value. It returns whether
// the value is complete; s.n is then the index after it. A number or a word ends only where
// something else begins.
func (s *scan) run(b []byte) (done bool, err error) {
	n := s.n
	for n < len(b) {
		if s.inString {
			n = stringStop(b, n)
			if n == len(b) || b[n] == '\\' && n+1 == len(b) {
				break
			}
			if b[n] == '\\' {
				n += 2
				continue
			}
			s.inString = false
			if n++; s.depth == 0 {
				s.n = n
				return true, nil
			}
			continue
		}
		if s.depth > 0 {
			for n < len(b) && kinds[b[n]] <= comma {
				n++
			}
			if n == len(b) {
				break
			}
		}
		c := b[n]
		kind := kinds[c]
		if s.depth == 0 && n > 0 && kind != ordinary {
			s.n = n
			return true, nil
		}
		n++
		switch kind {
		case blank:
			s.spaced = true
		case quote:
			s.inString = true
		case open:
			if s.depth == maxDepth {
				return false, fmt.Errorf("nested more than %d levels deep", maxDepth)
			}
			s.depth++
			s.stack = s.stack<<1 | isBrace(c)
		case closed:
			if s.depth == 0 || s.stack&1 != isBrace(c) {
				return false, errors.New("mismatched closing bracket")
			}
			s.stack >>= 1
			if s.depth--; s.depth == 0 {
				s.n = n
				return true, nil
			}
		}
	}
	s.n = n
	return false, nil
}

// isBrace distinguishes { and } from [ and ] by the bit in which they differ.
func isBrace(c byte) uint64 {
	return uint64(c >> 5 & 1)
}

// stringStop returns the index of the first quote or backslash in b from i on, or len(b). It
// processes eight bytes at a time, since strings are most of the content of most rows.
func stringStop(b []byte, i int) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for len(b)-i >= 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		q, s := x^('"'*low), x^('\\'*low)
		if found := ((q-low)&^q | (s-low)&^s) & high; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
		i += 8
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return min(i, len(b))
}
