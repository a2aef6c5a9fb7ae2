package dialect

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// Inline returns a statement with its parameters as literals of the standard, such as 1, 1e+00, 'text', X'00' and NULL, for a
// database that takes no parameters where it is sent. name is the database, for the *UnsupportedError of what has no literal: a
// number that is not finite, and a text with a zero byte or that is not UTF-8. The parameters of the statement must be ?.
func Inline(name string, s Statement) (string, error) {
	tokens, err := sqltext.Tokens(s.SQL)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	from, left := 0, s.Params
	for _, t := range tokens {
		if t.Kind != sqltext.ParameterToken || len(left) == 0 {
			continue
		}
		literal := ""
		switch v := left[0].(type) {
		case nil:
			literal = "NULL"
		case int64:
			literal = strconv.FormatInt(v, 10)
		case float64:
			if literal = strconv.FormatFloat(v, 'e', -1, 64); math.IsInf(v, 0) || math.IsNaN(v) {
				return "", Unsupported(name, s.SQL, "the number "+literal)
			}
		case string:
			if literal = text(v); !utf8.ValidString(v) || strings.Contains(v, "\x00") {
				return "", Unsupported(name, s.SQL, "a text with a zero byte or that is not UTF-8")
			}
		case []byte:
			literal = "X'" + hex.EncodeToString(v) + "'"
		}
		out.WriteString(s.SQL[from:t.From] + literal)
		from, left = t.To, left[1:]
	}
	return out.String() + s.SQL[from:], nil
}
