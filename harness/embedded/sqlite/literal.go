package sqlite

import "strings"

// longestLiteral returns the length of the longest string or blob literal in a statement, with
// quotes, in bytes. A statement may process it in each step.
func longestLiteral(sql string) int {
	longest := 0
	for i := 0; i < len(sql); {
		end := i + 1
		switch {
		case strings.HasPrefix(sql[i:], "--"):
			end = after(sql, i+2, "\n")
		case strings.HasPrefix(sql[i:], "/*"):
			end = after(sql, i+2, "*/")
		case sql[i] == '[':
			end = after(sql, i+1, "]")
		case sql[i] == '\'', sql[i] == '"', sql[i] == '`':
			end = afterQuoted(sql, i)
			longest = max(longest, end-i) // double quotes may also enclose a string
		}
		i = end
	}
	return longest
}

// after returns the index after the next end in text, or len(text).
func after(text string, from int, end string) int {
	if at := strings.Index(text[from:], end); at >= 0 {
		return from + at + len(end)
	}
	return len(text)
}

// afterQuoted returns the index after the quoted token that starts at i. A quote in it is
// doubled.
func afterQuoted(text string, i int) int {
	quote := text[i : i+1]
	for end := after(text, i+1, quote); ; end = after(text, end+1, quote) {
		if end >= len(text) || text[end] != quote[0] {
			return end
		}
	}
}
