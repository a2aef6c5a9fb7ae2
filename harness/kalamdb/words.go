package kalamdb

import (
	"context"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

// own is the dialect of KalamDB: that of a family, less what KalamDB lacks.
type own struct{ *dialect.Family }

func words() dialect.Dialect {
	return own{&dialect.Family{
		Name: name, CreateNamespace: "CREATE NAMESPACE %s", DropNamespace: "DROP NAMESPACE %s", Cascade: "DROP NAMESPACE %s CASCADE",
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
			return nil, dialect.Unsupported(name, s.SQL, "a table without a primary key of one column")
		case begins("CREATE TABLE") && (has(" UNIQUE") || has(" CHECK") || has(" REFERENCES") || has(" AS SELECT")):
			return nil, dialect.Unsupported(name, s.SQL, "a constraint besides the primary key, or a table made of a query")
		case begins("CREATE TABLE"):
			s.SQL = "CREATE USER TABLE" + s.SQL[len("CREATE TABLE"):]
		case begins("CREATE"):
			return nil, dialect.Unsupported(name, s.SQL, "an index, view or trigger")
		case (begins("UPDATE") || begins("DELETE")) && !has(" WHERE "):
			return nil, dialect.Unsupported(name, s.SQL, "a change of all rows: WHERE is required")
		case begins("INSERT IGNORE"), begins("REPLACE"), has("ON DUPLICATE KEY"):
			return nil, dialect.Unsupported(name, s.SQL, "what happens to a row whose key is there")
		}
		statements[i].SQL = s.SQL
	}
	return statements, nil
}
