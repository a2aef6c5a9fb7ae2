package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// qualify gives a statement's namespaced names the form they are stored under.
func qualify(conn *sqlite.Conn, statement sqltext.Statement) (string, error) {
	var asking error
	sql, err := statement.Qualify(func(name string) bool {
		found, err := namespaceExists(conn, name)
		asking = errors.Join(asking, err)
		return found
	})
	if asking != nil {
		return "", asking
	}
	return sql, err
}

func namespaceExists(conn *sqlite.Conn, name string) (bool, error) {
	found, err := conn.Lookup("SELECT 1 FROM rejoin_namespaces WHERE name = ?", name)
	return found != nil, err
}

func createNamespace(conn *sqlite.Conn, statement sqltext.Statement) error {
	exists, err := namespaceExists(conn, statement.Namespace)
	if err != nil {
		return err
	}
	if exists {
		if statement.IfNotExists {
			return nil
		}
		return fmt.Errorf("namespace %q already exists", statement.Namespace)
	}
	return conn.Trusted("INSERT INTO rejoin_namespaces VALUES (?)", statement.Namespace)
}

// dropNamespace drops a namespace with everything in it. Tables are emptied
// before they are dropped, with foreign keys checked at the end, so that tables
// which refer to each other can go together, and a reference from another
// namespace still refuses.
func dropNamespace(conn *sqlite.Conn, statement sqltext.Statement) (err error) {
	name := statement.Namespace
	exists, err := namespaceExists(conn, name)
	if err != nil {
		return err
	}
	if !exists {
		if statement.IfExists {
			return nil
		}
		return &sqltext.UnknownNamespaceError{Namespace: name}
	}
	if conn.DeferredViolations() {
		return fmt.Errorf("drop namespace %q: a statement before it left a foreign key violated", name)
	}
	if err := conn.Trusted("PRAGMA defer_foreign_keys = ON"); err != nil {
		return err
	}
	// SQLite itself would put it off to the end of the batch.
	defer func() { err = errors.Join(err, conn.Trusted("PRAGMA defer_foreign_keys = OFF")) }()
	for _, step := range []struct{ kind, sql string }{
		{"trigger", `DROP TRIGGER %s`},
		{"view", `DROP VIEW %s`},
		{"table", `DELETE FROM %s`},
		{"table", `DROP TABLE %s`},
	} {
		const members = "SELECT name FROM sqlite_schema WHERE type = ? AND lower(substr(name, 1, length(?2))) = ?2 ORDER BY name"
		names, err := column(conn, members, step.kind, name+".")
		if err != nil {
			return err
		}
		for _, member := range names {
			if err := conn.Counted(fmt.Sprintf(step.sql, quote(member))); err != nil {
				return fmt.Errorf("drop namespace %q: %s %s: %w", name, step.kind, member, err)
			}
		}
	}
	// Switched off, the pragma forgets what was violated meanwhile.
	if conn.DeferredViolations() {
		return errForeignKey
	}
	return conn.Trusted("DELETE FROM rejoin_namespaces WHERE name = ?", name)
}

// column returns the first column of a query's rows, which are text.
func column(conn *sqlite.Conn, sql string, params ...any) (out []string, err error) {
	rows, _, err := conn.Query(context.Background(), sql, params)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, row[0].(string))
	}
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
