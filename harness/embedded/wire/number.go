package wire

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// number parses an integer or a float, depending on its notation. A float out of range becomes
// infinity.
func (p *parser) number() (any, error) {
	end, isFloat, ok := numberEnd(p.b, p.i)
	digits := p.b[p.i:end]
	p.i = end
	if !ok {
		return nil, fmt.Errorf("%s is not a valid number", quoted(digits))
	}
	if isFloat {
		if f, ok := shortFloat(digits); ok {
			return f, nil
		}
		f, err := strconv.ParseFloat(string(digits), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("%s is not a valid number: %w", quoted(digits), err)
		}
		return f, nil
	}
	n, ok := integer(digits)
	if !ok {
		return nil, fmt.Errorf("the integer %s does not fit in 64 bits; a float must be written with a point or an exponent",
			digits[:min(len(digits), 40)])
	}
	return n, nil
}

// integer is a faster strconv.ParseInt for valid integers.
func integer(digits []byte) (n int64, ok bool) {
	negative := digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	var size uint64
	for _, c := range digits {
		size = size*10 + uint64(c-'0')
	}
	// Up to 19 digits do not overflow, and more do not fit.
	switch {
	case len(digits) > 19:
		return 0, false
	case negative:
		return -int64(size), size <= 1<<63
	default:
		return int64(size), size <= math.MaxInt64
	}
}

// shortFloat is a faster strconv.ParseFloat for the common short floats: with up to 15 digits and
// no exponent, both sides of the division are exact.
func shortFloat(digits []byte) (f float64, ok bool) {
	if len(digits) > len(tens) {
		return 0, false
	}
	var size uint64
	point := len(digits) - 1
	for i, c := range digits {
		switch {
		case c == '.':
			point = i
		case isDigit(c):
			size = size*10 + uint64(c-'0')
		case c != '-':
			return 0, false
		}
	}
	f = float64(size) / tens[len(digits)-1-point]
	if digits[0] == '-' {
		f = -f
	}
	return f, true
}

var tens = [16]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// numberEnd returns the end of the number at b[i], or of its valid prefix, and whether it has a
// point or an exponent.
func numberEnd(b []byte, i int) (end int, isFloat, ok bool) {
	if at(b, i) == '-' {
		i++
	}
	first := i
	if i = digitsEnd(b, i); i == first || b[first] == '0' && i > first+1 {
		return i, false, false
	}
	if at(b, i) == '.' {
		isFloat = true
		first = i + 1
		if i = digitsEnd(b, first); i == first {
			return i, true, false
		}
	}
	if at(b, i)|' ' == 'e' {
		isFloat = true
		if i++; at(b, i) == '+' || at(b, i) == '-' {
			i++
		}
		first = i
		if i = digitsEnd(b, first); i == first {
			return i, true, false
		}
	}
	return i, isFloat, true
}

// at returns the byte at i, or 0 past the end.
func at(b []byte, i int) byte {
	if i < len(b) {
		return b[i]
	}
	return 0
}

func digitsEnd(b []byte, i int) int {
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool {
	return '0' <= c && c <= '9'
}
