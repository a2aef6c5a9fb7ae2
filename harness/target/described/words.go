package described

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words splits a command line into words at white space. Single and double quotes keep a word together and are
// removed. White space and quotes within {{…}} belong to the template.
func Words(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	begun, quote := false, rune(0)
	rest := line
	for rest != "" {
		if strings.HasPrefix(rest, "{{") {
			end := strings.Index(rest, "}}")
			if end < 0 {
				return nil, errors.New("a {{ has no }}")
			}
			word.WriteString(rest[:end+2])
			rest, begun = rest[end+2:], true
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case unicode.IsSpace(r) && begun:
			words, begun = append(words, word.String()), false
			word.Reset()
		case unicode.IsSpace(r):
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a " + string(quote) + " is not closed")
	}
	if begun {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, errors.New("the command is empty")
	}
	return words, nil
}
