package sqltext

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Abridged returns a statement for a message: on one line, truncated to 120 bytes.
func Abridged(sql string) string {
	const most = 120 // bytes
	var line strings.Builder
	for word := range strings.FieldsSeq(sql) {
		if line.Len() > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(word[:min(len(word), most+1)])
		if line.Len() > most {
			return prefix(line.String(), most) + "…"
		}
	}
	return line.String()
}

// Literal returns a value as an SQL literal for a message. Text and blobs are truncated to 80
// bytes. The value is nil, an int64, a float64, a string or a []byte.
func Literal(v any) string {
	const most = 80 // bytes
	switch v := v.(type) {
	case nil:
		return "NULL"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".eIN") {
			text += ".0"
		}
		return text
	case string:
		return "'" + strings.ReplaceAll(prefix(v, most), "'", "''") + "'" + fullLength(len(v), most)
	case []byte:
		return fmt.Sprintf("x'%x'", v[:min(len(v), most)]) + fullLength(len(v), most)
	}
	return fmt.Sprint(v)
}

// fullLength returns a suffix with the length of a truncated value, or "".
func fullLength(bytes, most int) string {
	if bytes <= most {
		return ""
	}
	return fmt.Sprintf("… (%d bytes)", bytes)
}

// prefix returns at most most bytes of text, without splitting a character.
func prefix(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
