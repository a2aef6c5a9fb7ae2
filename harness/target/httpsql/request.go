package httpsql

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
)

// request is what the templates see of a request, and whether it can only read.
func (a *API) request(node described.Node, r target.Request) (out described.Request, reads bool, err error) {
	statements, err := sqltext.Split(r.SQL)
	if err != nil {
		// The database itself refuses it, and says so in its own words.
		statements = []sqltext.Statement{{Text: r.SQL}}
	}
	word := string(r.Consistency)
	if r.Consistency == target.Default {
		word = "default"
	}
	level, known := a.shape.Levels[word]
	if !known {
		level = string(r.Consistency)
	}
	out = described.Request{Node: node, SQL: r.SQL, Params: r.Params, Level: level, ID: r.ID}
	if a.shape.Inline && len(r.Params) > 0 {
		if out.SQL, err = inline(r.SQL, r.Params); err != nil {
			return out, false, err
		}
		out.Params = nil
		if statements, err = sqltext.Split(out.SQL); err != nil {
			return out, false, err
		}
	}
	reads = true
	rest := out.Params
	for i, s := range statements {
		own := rest[:min(s.Parameters(), len(rest))]
		rest = rest[len(own):]
		if i == len(statements)-1 { // the database says that there are too many
			own = append(own[:len(own):len(own)], rest...)
		}
		out.Statements = append(out.Statements, described.Statement{SQL: s.Text, Params: append([]any{}, own...)})
		reads = reads && s.Reads()
	}
	return out, reads, nil
}

// inline puts literals in place of the parameters ?.
func inline(sql string, params []any) (string, error) {
	var b strings.Builder
	next := 0
	for rest := sql; rest != ""; {
		size := skipped(rest)
		if size == 0 && rest[0] == '?' {
			if next == len(params) {
				return "", errors.New("there are more parameters in the text than values")
			}
			literal, err := literal(params[next])
			if err != nil {
				return "", err
			}
			b.WriteString(literal)
			next++
			rest = rest[1:]
			continue
		}
		size = max(size, 1)
		b.WriteString(rest[:size])
		rest = rest[size:]
	}
	if next != len(params) {
		return "", fmt.Errorf("there are %d values for %d parameters", len(params), next)
	}
	return b.String(), nil
}

// skipped is the length of the quoted text or comment that the text begins with; 0 if it begins with neither.
func skipped(text string) int {
	end := func(closing string, from int) int {
		at := strings.Index(text[from:], closing)
		if at < 0 {
			return len(text)
		}
		return from + at + len(closing)
	}
	switch {
	case text[0] == '\'' || text[0] == '"' || text[0] == '`':
		return end(text[:1], 1) // a doubled quote begins the next quoted text
	case text[0] == '[':
		return end("]", 1)
	case strings.HasPrefix(text, "--"):
		return end("\n", 2)
	case strings.HasPrefix(text, "/*"):
		return end("*/", 2)
	}
	return 0
}

func literal(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "NULL", nil
	case int64:
		if v == math.MinInt64 { // the literal without its sign is out of range
			return "(-9223372036854775807 - 1)", nil
		}
		return strconv.FormatInt(v, 10), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return "", fmt.Errorf("%v has no literal", v)
		}
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return text, nil
	case string:
		if strings.ContainsRune(v, 0) {
			return "", errors.New("text with a zero byte has no literal")
		}
		return "'" + strings.ReplaceAll(v, "'", "''") + "'", nil
	case []byte:
		return "X'" + hex.EncodeToString(v) + "'", nil
	}
	return "", fmt.Errorf("a parameter is a %T", v)
}
