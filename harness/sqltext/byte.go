package sqltext

import "strings"

// Classes of bytes. A byte may be in several.
const (
	blank = 1 << iota
	digit
	hex
	underscore
	inName
)

var class = func() (class [256]byte) {
	for c := range class {
		lower := c | 0x20
		for member, in := range map[byte]bool{
			blank:      c == ' ' || '\t' <= c && c <= '\r',
			digit:      '0' <= c && c <= '9',
			hex:        '0' <= c && c <= '9' || 'a' <= lower && lower <= 'f',
			underscore: c == '_',
			inName:     '0' <= c && c <= '9' || 'a' <= lower && lower <= 'z' || c == '_' || c == '$' || c >= 0x80,
		} {
			if in {
				class[c] |= member
			}
		}
	}
	return class
}()

// single holds the tokens of one byte that do not begin a longer token. The two bytes of an
// operator may be scanned as two tokens.
var single = [256]kind{
	',': comma, ';': semicolon, '(': opening, ')': closing, '*': star, '+': operator, '%': operator,
	'=': operator, '<': operator, '>': operator, '|': operator, '&': operator, '~': operator,
}

// at returns the byte at i, or NUL past the end.
func at(s string, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

// skip returns the index of the first byte from i on that is in none of the classes.
func skip(s string, i int, classes byte) int {
	for i < len(s) && class[s[i]]&classes != 0 {
		i++
	}
	return i
}

// after returns the index after the first mark from i on, or len(s).
func after(s string, i int, mark string) int {
	if n := strings.Index(s[i:], mark); n >= 0 {
		return i + n + len(mark)
	}
	return len(s)
}
