package targettest

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

func transacts(ctx context.Context, s *subject) error {
	transactor, _ := target.As[target.Transactor](s.Cluster)
	levels := transactor.Isolations()
	if len(levels) == 0 {
		return wrong("Transactor.Isolations", "there is no isolation level")
	}
	for _, level := range levels {
		for _, commits := range []bool{true, false} {
			if err := s.transacts(ctx, transactor, level, commits); err != nil {
				return err
			}
		}
	}
	ended, end := context.WithCancel(ctx)
	end()
	if tx, err := transactor.Begin(ended, 0, levels[0]); err == nil {
		_ = tx.Rollback(ctx) // what counts is that it began
		return wrong("Transactor.Begin", "a transaction began, and its context had ended before")
	}
	return nil
}

// transacts runs one transaction of two statements.
func (s *subject) transacts(ctx context.Context, transactor target.Transactor, level target.Isolation, commits bool) error {
	leader := s.leader(ctx)
	tx, err := transactor.Begin(ctx, leader, level)
	if err != nil {
		return wrong("Transactor.Begin", "no %s transaction begins at the sound node %s: %v", level, s.id(leader), err)
	}
	defer func() { _ = tx.Rollback(ctx) }() // if a check failed
	keys := []int64{s.key(), s.key()}
	for _, key := range keys {
		if err := s.put(ctx, tx, key); err != nil {
			return wrong("Transaction.Query", "an INSERT in a %s transaction failed: %v", level, err)
		}
		if is, err := s.has(ctx, tx, target.Default, key); err != nil || !is {
			return wrong("Transaction.Query", "a %s transaction does not see its own row (error: %v)", level, err)
		}
	}
	if level != target.ReadUncommitted {
		var early bool
		err, _ := s.obeys(ctx, func(ctx context.Context) (err error) { // it may wait for the transaction
			early, err = s.has(ctx, s.client(leader), target.Default, keys[0])
			return err
		})
		if err == nil && early {
			return wrong("Transaction.Query", "a row of a %s transaction is visible before it has committed", level)
		}
	}
	want := "committed"
	if commits {
		err = tx.Commit(ctx)
	} else {
		want = "rolled back"
		err = tx.Rollback(ctx)
	}
	if err != nil {
		return wrong("Transaction.Commit or Rollback", "a %s transaction without a rival cannot be %s: %v", level, want, err)
	}
	if err := tx.Rollback(ctx); err != nil {
		return wrong("Transaction.Rollback", "after the end of a transaction it must do nothing: %v", err)
	}
	if err := s.put(ctx, tx, s.key()); err == nil {
		return wrong("Transaction.Query", "a statement succeeded after the transaction was %s", want)
	}
	for _, key := range keys {
		err := s.await(ctx, func(ctx context.Context) error {
			is, err := s.has(ctx, s.client(leader), target.Leader, key)
			if err == nil && is != commits {
				err = fmt.Errorf("row %d is there: %t", key, is)
			}
			return err
		})
		if err != nil {
			return wrong("Transaction.Commit or Rollback", "a %s transaction was %s: %v", level, want, err)
		}
	}
	return nil
}
