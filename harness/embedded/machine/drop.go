package machine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// dropNamespace drops a namespace and, with CASCADE, the objects in it.
//
// Nothing outside changes: rows outside that refer to the namespace make the drop fail, also with
// a foreign key that would delete or change them. A view or trigger outside that names a dropped
// table stays, and fails when it is used, as with DROP TABLE.
func dropNamespace(conn *sqlite.Conn, statement sqltext.Statement) error {
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
	members, err := contents(conn, name)
	if err != nil {
		return err
	}
	if len(members) > 0 && !statement.Cascade {
		return &notEmptyError{namespace: name, members: members}
	}
	if err := dropMembers(conn, name, members); err != nil {
		return err
	}
	if err := removeStale(conn); err != nil {
		return err
	}
	return conn.Trusted("DELETE FROM rejoin_namespaces WHERE name = ?", name)
}

// member is an object of a namespace.
type member struct{ kind, name, table string }

// contents returns the objects of a namespace.
func contents(conn *sqlite.Conn, namespace string) ([]member, error) {
	const members = `SELECT s.type, s.name, s.tbl_name FROM rejoin_objects o JOIN sqlite_schema s ON s.type = o.type AND lower(s.name) = o.name
		WHERE o.namespace = ? ORDER BY s.type = 'index', s.type = 'trigger', s.type = 'view', o.name`
	rows, err := rowsOf(conn, members, namespace)
	if err != nil {
		return nil, err
	}
	out := make([]member, len(rows))
	for i, row := range rows {
		out[i] = member{kind: row[0].(string), name: row[1].(string), table: row[2].(string)}
	}
	return out, nil
}

// notEmptyError reports the objects of a namespace that DROP NAMESPACE without CASCADE would
// drop.
type notEmptyError struct {
	namespace string
	members   []member
}

// mostNamed is the maximum number of objects that an error names.
const mostNamed = 5

func (e *notEmptyError) Error() string {
	var names []string
	for _, m := range e.members[:min(mostNamed, len(e.members))] {
		names = append(names, m.kind+" "+m.name)
	}
	if more := len(e.members) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("namespace %q is not empty: it holds %s; DROP NAMESPACE %s CASCADE drops them too",
		e.namespace, strings.Join(names, ", "), e.namespace)
}

// dropMembers drops the objects of a namespace. Triggers go first: DROP TABLE deletes the rows,
// which may delete other rows by a foreign key and so fire triggers. Foreign keys are checked at
// the end, so that tables that refer to each other can be dropped together.
func dropMembers(conn *sqlite.Conn, namespace string, members []member) (err error) {
	if len(members) == 0 {
		return nil
	}
	if conn.DeferredViolations() {
		const message = "drop namespace %q: an earlier statement of the request left a foreign key violated; send DROP NAMESPACE alone"
		return fmt.Errorf(message, namespace)
	}
	if err := checkReferences(conn, namespace); err != nil {
		return err
	}
	triggers, err := triggersOf(conn, namespace)
	if err != nil {
		return err
	}
	if err := conn.Trusted("PRAGMA defer_foreign_keys = ON"); err != nil {
		return err
	}
	// SQLite itself resets it only at the end of the transaction, which is the whole batch.
	defer func() { err = errors.Join(err, conn.Trusted("PRAGMA defer_foreign_keys = OFF")) }()
	for _, step := range []struct {
		sql     string
		objects []string
	}{
		{"DROP TRIGGER %s", triggers},
		{"DROP INDEX %s", strayIndexes(members)},
		{"DROP VIEW %s", ofKind(members, "view")},
		{"DROP TABLE %s", ofKind(members, "table")},
	} {
		for _, object := range step.objects {
			// Not trusted: the client's triggers and foreign keys that it sets off must not be
			// either.
			if _, err := rowsOf(conn, fmt.Sprintf(step.sql, quote(object))); err != nil {
				return fmt.Errorf("drop namespace %q: %s: %w", namespace, object, err)
			}
		}
	}
	// Switching the pragma off discards the violations counted so far, so they are checked
	// before.
	if conn.DeferredViolations() {
		return errForeignKey
	}
	return nil
}

func ofKind(members []member, kind string) (names []string) {
	for _, m := range members {
		if m.kind == kind {
			names = append(names, m.name)
		}
	}
	return names
}

// strayIndexes returns the indexes whose table was renamed out of the namespace.
func strayIndexes(members []member) (names []string) {
	in := map[string]bool{}
	for _, m := range members {
		if m.kind == "table" {
			in[m.name] = true
		}
	}
	for _, m := range members {
		if m.kind == "index" && !in[m.table] {
			names = append(names, m.name)
		}
	}
	return names
}

// triggersOf returns the triggers of a namespace and the triggers on its tables and views.
func triggersOf(conn *sqlite.Conn, namespace string) ([]string, error) {
	const triggers = `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND (
			lower(name) IN (SELECT name FROM rejoin_objects WHERE namespace = ?1 AND type = 'trigger')
			OR lower(tbl_name) IN (SELECT name FROM rejoin_objects WHERE namespace = ?1 AND type IN ('table', 'view')))
		ORDER BY name`
	return column(conn, triggers, namespace)
}

// checkReferences returns an error if rows outside a namespace refer to rows in it. A foreign key
// with a NULL column refers to nothing.
func checkReferences(conn *sqlite.Conn, namespace string) error {
	const keys = `SELECT s.name, f."table", group_concat('"' || replace(f."from", '"', '""') || '" IS NOT NULL', ' AND ')
		FROM sqlite_schema s, pragma_foreign_key_list(s.name) f
		WHERE s.type = 'table' AND lower(s.name) NOT IN (SELECT name FROM rejoin_objects WHERE namespace = ?1 AND type = 'table')
		AND lower(f."table") IN (SELECT name FROM rejoin_objects WHERE namespace = ?1 AND type = 'table')
		GROUP BY s.name, f.id, f."table" ORDER BY 1, f.id`
	foreign, err := rowsOf(conn, keys, namespace)
	if err != nil {
		return err
	}
	for _, key := range foreign {
		child, parent, refers := key[0].(string), key[1].(string), key[2].(string)
		rows, err := rowsOf(conn, "SELECT 1 FROM "+quote(child)+" WHERE "+refers+" LIMIT 1")
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			return fmt.Errorf("%w: drop namespace %q: rows of %s, outside the namespace, refer to %s",
				errForeignKey, namespace, quote(child), quote(parent))
		}
	}
	return nil
}
