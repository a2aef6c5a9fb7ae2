package machine

import (
	"errors"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// Diverge runs statements on this node's database only, as one transaction and without a log
// entry. The database then differs from that of every other node, which no client request and no
// entry can cause. Tests use it to show that comparisons of nodes detect a difference. Diverge
// blocks until the entries in progress are applied. If a statement fails, nothing changes.
func (m *Machine) Diverge(sql string) (err error) {
	m.writing.Lock()
	defer m.writing.Unlock()
	if err := m.stopped(); err != nil {
		return err
	}
	statements, err := sqltext.Split(sql)
	if err != nil {
		return err
	}
	if _, err := m.writer.Lookup("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for i, statement := range statements {
		if err := m.divergeBy(statement); err != nil {
			return errors.Join(Locate(err, i, len(statements)), m.rollback())
		}
	}
	_, err = m.writer.Lookup("COMMIT")
	return err
}

// divergeBy runs one statement with the database's own privileges, so that its bookkeeping tables
// can differ too.
func (m *Machine) divergeBy(statement sqltext.Statement) error {
	qualified, err := qualify(m.writer, statement)
	if err != nil {
		return err
	}
	if err := m.writer.Trusted(qualified.SQL); err != nil || !statement.ChangesSchema() {
		return err
	}
	return updateMembers(m.writer, qualified.Defines)
}
