package dialect

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Prefixes is the dialect of a database that speaks SQLite's SQL and has one SQLite file: the table t of the namespace ns
// is the table "ns.t", see package sqltext. The namespaces that exist are in a table, which Setup makes.
type Prefixes struct{}

// Setup returns the statements that make the table of namespaces. They may be executed again.
func (Prefixes) Setup() []string {
	return []string{"CREATE TABLE IF NOT EXISTS rejoin_namespaces (name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID"}
}

// Translate writes the names in namespaces as prefixes. It looks up namespaces before statements that create or drop.
func (d Prefixes) Translate(ctx context.Context, request target.Request, lookup Lookup) ([]Statement, error) {
	parts, err := split(request)
	if err != nil {
		return nil, err
	}
	created := map[string]bool{} // by this request
	statements := make([]Statement, 0, len(parts))
	for _, p := range parts {
		exists := func(namespace string) (bool, error) {
			if known, here := created[namespace]; here {
				return known, nil
			}
			rows, err := lookup(ctx, "SELECT 1 FROM rejoin_namespaces WHERE name = "+text(namespace))
			return len(rows) > 0, err
		}
		switch p.Kind {
		case sqltext.CreateNamespace:
			verb := "INSERT INTO"
			if p.IfNotExists {
				verb = "INSERT OR IGNORE INTO"
			} else if is, err := exists(p.Namespace); is || err != nil {
				return nil, failed(err, target.ErrExists, "the namespace %s exists", p.Namespace)
			}
			created[p.Namespace] = true
			statements = append(statements, Statement{SQL: verb + " rejoin_namespaces VALUES (" + text(p.Namespace) + ")"})
		case sqltext.DropNamespace:
			is, err := exists(p.Namespace)
			if err == nil && !is && p.IfExists {
				statements = append(statements, Statement{SQL: "DELETE FROM rejoin_namespaces WHERE name = " + text(p.Namespace)})
				continue
			}
			if !is || err != nil {
				return nil, failed(err, target.ErrNoSuchNamespace, "the namespace %s does not exist", p.Namespace)
			}
			dropping, err := drop(ctx, p, lookup)
			if err != nil {
				return nil, err
			}
			created[p.Namespace] = false
			statements = append(statements, dropping...)
		case sqltext.Other:
			qualified, err := p.Rewrite(func(sqltext.Name) error { return nil })
			if err != nil {
				return nil, failed(nil, target.ErrSyntax, "%v", err)
			}
			if home := qualified.Defines.Namespace; home != "" {
				if is, err := exists(home); !is || err != nil {
					return nil, failed(err, target.ErrNoSuchNamespace, "the namespace %s does not exist", home)
				}
			}
			statements = append(statements, p.statement(qualified.SQL))
		}
	}
	return statements, nil
}

// drop returns the statements that drop a namespace.
func drop(ctx context.Context, p part, lookup Lookup) ([]Statement, error) {
	prefix := text(p.Namespace + ".")
	rows, err := lookup(ctx, fmt.Sprintf("SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view', 'trigger') "+
		"AND substr(name, 1, length(%s)) = %s ORDER BY type = 'table', name", prefix, prefix))
	if err != nil {
		return nil, err
	}
	if len(rows) > 0 && !p.Cascade {
		return nil, failed(nil, target.ErrRefused, "the namespace %s is not empty: drop it with CASCADE", p.Namespace)
	}
	var statements []Statement
	for _, row := range rows {
		statements = append(statements, Statement{SQL: fmt.Sprintf("DROP %s IF EXISTS %s", row[0], quoted(fmt.Sprint(row[1]))), Hidden: true})
	}
	return append(statements, Statement{SQL: "DELETE FROM rejoin_namespaces WHERE name = " + text(p.Namespace)}), nil
}

// failed is the error of a lookup, or the error of a request that cannot be applied.
func failed(lookup, kind error, message string, args ...any) error {
	if lookup != nil {
		return lookup
	}
	return &target.Error{Code: "NAMESPACE", Kind: kind, Outcome: target.NotApplied, Message: fmt.Sprintf(message, args...)}
}
