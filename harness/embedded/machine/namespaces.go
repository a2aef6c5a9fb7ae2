package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// qualify rewrites a statement's qualified names to the names under which objects are stored.
func qualify(conn *sqlite.Conn, statement sqltext.Statement) (sqltext.Qualified, error) {
	return statement.Rewrite(func(name sqltext.Name) error { return checkMember(conn, name) })
}

// checkMember returns an error if the name cannot refer to an object of its namespace: the
// namespace does not exist, or an object outside it has the stored name.
func checkMember(conn *sqlite.Conn, name sqltext.Name) error {
	const member = "SELECT 1 FROM rejoin_objects WHERE name = ? AND (type = 'trigger') = ?"
	if found, err := conn.Lookup(member, name.Key(), flag(name.Trigger)); found != nil || err != nil {
		return err
	}
	if exists, err := namespaceExists(conn, name.Namespace); err != nil {
		return err
	} else if !exists {
		return &sqltext.UnknownNamespaceError{Namespace: name.Namespace}
	}
	const taken = "SELECT name FROM sqlite_schema WHERE lower(name) = ? AND (type = 'trigger') = ?"
	outside, err := conn.Lookup(taken, name.Key(), flag(name.Trigger))
	if outside == nil || err != nil {
		return err
	}
	return &outsideError{name: name, stored: outside.(string)}
}

// outsideError says that a qualified name matches the stored name of an object outside the
// namespace.
type outsideError struct {
	name   sqltext.Name
	stored string
}

func (e *outsideError) Error() string {
	const message = "%s.%s is not in namespace %q: the name %s belongs to an object outside all namespaces; " +
		"write it in quotes, or rename that object"
	return fmt.Sprintf(message, e.name.Namespace, e.name.Name, e.name.Namespace, quote(e.stored))
}

func flag(set bool) int64 {
	if set {
		return 1
	}
	return 0
}

// addMember records that the object defined by a statement is in its namespace.
func addMember(conn *sqlite.Conn, defines sqltext.Name) error {
	const insert = `INSERT OR IGNORE INTO rejoin_objects
		SELECT type, ?1, ?2 FROM sqlite_schema WHERE lower(name) = ?1 AND (type = 'trigger') = ?3`
	return conn.Trusted(insert, defines.Key(), defines.Namespace, flag(defines.Trigger))
}

// removeStale deletes the records of objects that were dropped or renamed. SQLite also drops the
// indexes and triggers of a dropped table.
func removeStale(conn *sqlite.Conn) error {
	return conn.Trusted("DELETE FROM rejoin_objects WHERE (type, name) NOT IN (SELECT type, lower(name) FROM sqlite_schema)")
}

// updateMembers updates the contents of namespaces after a statement that changed the schema.
func updateMembers(conn *sqlite.Conn, defines sqltext.Name) error {
	if err := removeStale(conn); err != nil {
		return err
	}
	if defines == (sqltext.Name{}) {
		return nil
	}
	return addMember(conn, defines)
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

// column returns the first column of a query's rows, which must be text.
func column(conn *sqlite.Conn, sql string, params ...any) (out []string, err error) {
	rows, err := rowsOf(conn, sql, params...)
	for _, row := range rows {
		out = append(out, row[0].(string))
	}
	return out, err
}

// rowsOf returns the rows of one statement, run with a client's privileges.
func rowsOf(conn *sqlite.Conn, sql string, params ...any) (out [][]any, err error) {
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
		out = append(out, slices.Clone(row))
	}
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
