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
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

// request is what the templates see of a request, and whether it can only read.
func (a *API) request(node described.Node, r target.Request) (out described.Request, reads bool, err error) {
	statements, err := sqltext.Split(r.SQL)
	if err != nil {
		// The database itself refuses it, and says so in its own words.
		statements = []sqltext.Statement{{Text: r.SQL}}
	}
	out = described.Request{Node: node, SQL: r.SQL, Params: r.Params, Level: a.level(r.Consistency), ID: r.ID}
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

// level is the database's word for a consistency.
func (a *API) level(c target.Consistency) string {
	word := string(c)
	if c == target.Default {
		word = "default"
	}
	if level, known := a.shape.Levels[word]; known {
		return level
	}
	return string(c)
}

// translated is what the templates see of statements that a dialect has translated, and whether they can only read.
func (a *API) translated(
	node described.Node, c target.Consistency, all []dialect.Statement,
) (out described.Request, reads bool, err error) {
	out, reads = described.Request{Node: node, Level: a.level(c)}, true
	texts := make([]string, len(all))
	for i, s := range all {
		one := described.Statement{SQL: s.SQL, Params: append([]any{}, s.Params...)}
		if a.shape.Inline && len(s.Params) > 0 {
			if one.SQL, err = inline(s.SQL, s.Params); err != nil {
				return out, false, err
			}
			one.Params = []any{}
		}
		texts[i], reads = one.SQL, reads && s.Reads
		out.Statements = append(out.Statements, one)
		out.Params = append(out.Params, one.Params...)
	}
	out.SQL = strings.Join(texts, ";\n")
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
