package harness

import (
	"errors"

	"github.com/rejoin-db/rejoin/harness/consistency"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// differing is a difference as the journal has it; nil if the error is none.
func differing(err error) *journal.Difference {
	var found *InconsistencyError
	if !errors.As(err, &found) {
		return nil
	}
	return &journal.Difference{
		Query: sqltext.Abridged(found.Query), Row: found.Row, Columns: found.Header, Column: found.Column,
		Nodes: []journal.Answer{answered(found.A), answered(found.B)},
	}
}

func answered(s consistency.Side) journal.Answer {
	a := journal.Answer{Node: s.Node, Applied: s.Applied, Count: s.Count, Only: s.Only}
	for _, v := range s.Row {
		a.Row = append(a.Row, sqltext.Literal(v))
	}
	if s.Row == nil {
		a.Row = s.Columns
	}
	return a
}
