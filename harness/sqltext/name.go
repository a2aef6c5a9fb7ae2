package sqltext

import "strings"

// unquote returns the name that a token denotes.
func unquote(spelled string) string {
	switch quote := spelled[0]; quote {
	case '"', '`', '\'':
		inner := spelled[1 : len(spelled)-1]
		if strings.IndexByte(inner, quote) < 0 {
			return inner
		}
		return strings.ReplaceAll(inner, string([]byte{quote, quote}), string(quote))
	case '[':
		return spelled[1 : len(spelled)-1]
	}
	return spelled
}

// quote returns the name as a quoted identifier.
func quote(name string) string { return `"` + doubled(name) + `"` }

// quoteIn returns the quoted identifier under which an object of a namespace is stored.
func quoteIn(namespace, name string) string {
	return `"` + doubled(namespace) + `.` + doubled(name) + `"`
}

func doubled(name string) string {
	if strings.IndexByte(name, '"') < 0 {
		return name
	}
	return strings.ReplaceAll(name, `"`, `""`)
}

// fold returns the name with ASCII letters in lower case. SQLite identifiers with equal folded
// names are equal.
func fold(name string) string {
	for i := range len(name) {
		if 'A' <= name[i] && name[i] <= 'Z' {
			lower := []byte(name)
			for ; i < len(lower); i++ {
				if 'A' <= lower[i] && lower[i] <= 'Z' {
					lower[i] += 'a' - 'A'
				}
			}
			return string(lower)
		}
	}
	return name
}
