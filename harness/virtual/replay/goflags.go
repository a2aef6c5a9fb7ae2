package replay

import (
	"fmt"
	"strings"
)

// splitFlags splits GOFLAGS as the go command does: at white space, except within single or double quotes that
// enclose a whole field. There are no escapes.
func splitFlags(s string) ([]string, error) {
	const space = " \t\n\r"
	var flags []string
	for s = strings.TrimLeft(s, space); s != ""; s = strings.TrimLeft(s, space) {
		if quote := s[:1]; quote == `"` || quote == `'` {
			flag, rest, ended := strings.Cut(s[1:], quote)
			if !ended {
				return nil, fmt.Errorf("GOFLAGS has an unterminated quotation mark: %s", s)
			}
			flags, s = append(flags, flag), rest
			continue
		}
		end := strings.IndexAny(s, space)
		if end < 0 {
			end = len(s)
		}
		flags, s = append(flags, s[:end]), s[end:]
	}
	return flags, nil
}

// quoteFlag quotes the flag as a field of GOFLAGS.
func quoteFlag(flag string) (string, error) {
	switch {
	case !strings.ContainsAny(flag, " \t\n\r\"'"):
		return flag, nil
	case !strings.Contains(flag, "'"):
		return "'" + flag + "'", nil
	case !strings.Contains(flag, `"`):
		return `"` + flag + `"`, nil
	}
	return "", fmt.Errorf("GOFLAGS cannot contain %s, which has both kinds of quotation marks", flag)
}

// overlayOf returns the file of an -overlay flag; ok is false for other flags.
func overlayOf(flag string) (file string, ok bool) {
	name, file, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-"), "=")
	return file, ok && name == "overlay"
}
