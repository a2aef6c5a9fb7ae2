package kalamdb

import (
	"context"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

// own is the dialect of KalamDB: that of a family, less what KalamDB lacks.
type own struct{ *dialect.Family }

func words() dialect.Dialect {
	return own{&dialect.Family{
		Name: "KalamDB", CreateNamespace: "CREATE NAMESPACE %s", DropNamespace: "DROP NAMESPACE %s", Cascade: "DROP NAMESPACE %s CASCADE",
		Types: map[string]string{
			"INTEGER": "BIGINT", "INT": "BIGINT", "REAL": "DOUBLE", "FLOAT": "DOUBLE", "BLOB": "BYTES",
		},
		Serial: "BIGINT PRIMARY KEY", Blob: "X'%s'", TextDefaults: true,
	}}
}

// Translate says a request in KalamDB's words. Rows are in user tables, since a subscription reads no other.
func (d own) Translate(ctx context.Context, request target.Request, lookup dialect.Lookup) ([]dialect.Statement, error) {
	statements, err := d.Family.Translate(ctx, request, lookup)
	if err != nil {
		return nil, err
	}
	parts, err := sqltext.Split(request.SQL)
	if err != nil {
		return nil, err
	}
	for i, s := range statements {
		text := strings.Join(strings.Fields(strings.ToUpper(s.SQL)), " ")
		begins := func(words string) bool { return strings.HasPrefix(text, words+" ") }
		has := func(words string) bool { return strings.Contains(text, words) }
		switch {
		case begins("CREATE NAMESPACE"), begins("DROP NAMESPACE"):
			s.SQL = strings.ReplaceAll(s.SQL, `"`, "")
			if parts[i].IfNotExists {
				s.SQL = strings.Replace(s.SQL, "NAMESPACE", "NAMESPACE IF NOT EXISTS", 1)
			}
			if parts[i].IfExists {
				s.SQL = strings.Replace(s.SQL, "NAMESPACE", "NAMESPACE IF EXISTS", 1)
			}
		case begins("CREATE TABLE") && !has("PRIMARY KEY"), has("PRIMARY KEY ("), has("PRIMARY KEY("):
			return nil, unsupported(s.SQL, "a table without a primary key of one column")
		case begins("CREATE TABLE") && (has(" UNIQUE") || has(" CHECK") || has(" REFERENCES") || has(" AS SELECT")):
			return nil, unsupported(s.SQL, "a constraint besides the primary key, or a table made of a query")
		case begins("CREATE TABLE"):
			s.SQL = "CREATE USER TABLE" + s.SQL[len("CREATE TABLE"):]
		case begins("CREATE"):
			return nil, unsupported(s.SQL, "an index, view or trigger")
		case (begins("UPDATE") || begins("DELETE")) && !has(" WHERE "):
			return nil, unsupported(s.SQL, "a change of all rows: WHERE is required")
		case begins("INSERT IGNORE"), begins("REPLACE"), has("ON DUPLICATE KEY"):
			return nil, unsupported(s.SQL, "what happens to a row whose key is there")
		}
		statements[i].SQL = s.SQL
	}
	return statements, nil
}

func unsupported(statement, reason string) error {
	err := &dialect.UnsupportedError{Dialect: "KalamDB", Statement: statement, Reason: reason}
	return &target.Error{Code: "UNSUPPORTED", Message: err.Error(), Kind: target.ErrNoWords, Outcome: target.NotApplied, Cause: err}
}

// inlined is a statement with its parameters as literals: a batch takes no parameters.
func inlined(s dialect.Statement) (string, error) {
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
				return "", unsupported(s.SQL, "the number "+literal)
			}
		case string:
			if literal = "'" + strings.ReplaceAll(v, "'", "''") + "'"; !utf8.ValidString(v) || strings.Contains(v, "\x00") {
				return "", unsupported(s.SQL, "a text with a zero byte or that is not UTF-8")
			}
		case []byte:
			literal = "X'" + hex.EncodeToString(v) + "'"
		}
		out.WriteString(s.SQL[from:t.From] + literal)
		from, left = t.To, left[1:]
	}
	return out.String() + s.SQL[from:], nil
}
