package machine

import (
	"context"
	"errors"
	"io"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// Diverge runs statements on this database alone, as one transaction and past the log: it
// makes the database another than that of every other node, which no client and no entry
// can. It exists to show that comparisons of nodes see a difference. It blocks until the
// entries under way are applied; if a statement fails nothing changes.
func (m *Machine) Diverge(ctx context.Context, sql string) (err error) {
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
		if err := m.divergeBy(ctx, statement); err != nil {
			return errors.Join(Locate(err, i, len(statements)), m.abandon())
		}
	}
	_, err = m.writer.Lookup("COMMIT")
	return err
}

func (m *Machine) divergeBy(ctx context.Context, statement sqltext.Statement) error {
	qualified, err := qualify(m.writer, statement)
	if err != nil {
		return err
	}
	rows, _, err := m.writer.Query(ctx, qualified.SQL, nil)
	if err != nil {
		return err
	}
	if err := drain(rows); err != nil || !statement.ChangesSchema() {
		return err
	}
	return follow(m.writer, qualified.Defines)
}

// drain reads the rows to their end, and closes them.
func drain(rows *sqlite.Rows) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		if _, err := rows.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
