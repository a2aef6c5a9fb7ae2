package replay

import (
	"fmt"
	"strings"
)

// splitFlags splits GOFLAGS as the go command does: fields between white space, or whole
// fields in single or double quotes, in which nothing is escaped.
func splitFlags(s string) ([]string, error) {
	const space = " \t\n\r"
	var flags []string
	for s = strings.TrimLeft(s, space); s != ""; s = strings.TrimLeft(s, space) {
		if quote := s[:1]; quote == `"` || quote == `'` {
			flag, rest, ended := strings.Cut(s[1:], quote)
			if !ended {
				return nil, fmt.Errorf("GOFLAGS has a quotation mark without its end: %s", s)
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

// quoteFlag is the flag as a field of GOFLAGS.
func quoteFlag(flag string) (string, error) {
	switch {
	case !strings.ContainsAny(flag, " \t\n\r\"'"):
		return flag, nil
	case !strings.Contains(flag, "'"):
		return "'" + flag + "'", nil
	case !strings.Contains(flag, `"`):
		return `"` + flag + `"`, nil
	}
	return "", fmt.Errorf("GOFLAGS cannot hold %s, which has both kinds of quotation marks", flag)
}

// overlayOf is the file that a flag names as overlay, if it is that flag.
func overlayOf(flag string) (file string, ok bool) {
	name, file, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-"), "=")
	return file, ok && name == "overlay"
}
