package machine

import (
	"errors"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// Diverge runs statements on this database alone, as one transaction and past the log: it
// makes the database another than that of every other node, which no client and no entry
// can. It exists to show that comparisons of nodes see a difference. It blocks until the
// entries under way are applied; if a statement fails nothing changes.
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
			return errors.Join(Locate(err, i, len(statements)), m.abandon())
		}
	}
	_, err = m.writer.Lookup("COMMIT")
	return err
}

// divergeBy runs one statement as the database's own, so that its bookkeeping can differ, too.
func (m *Machine) divergeBy(statement sqltext.Statement) error {
	qualified, err := qualify(m.writer, statement)
	if err != nil {
		return err
	}
	if err := m.writer.Trusted(qualified.SQL); err != nil || !statement.ChangesSchema() {
		return err
	}
	return follow(m.writer, qualified.Defines)
}
