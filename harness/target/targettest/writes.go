package targettest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
)

func showsWrites(ctx context.Context, s *subject) error {
	for i := range s.Nodes() {
		before := s.indexes(ctx)
		key, err := s.written(ctx, i)
		if err != nil {
			return wrong("Node.Client", "a sound node took no write: %v", err)
		}
		for _, level := range []target.Consistency{target.Leader, target.Strong} {
			for j := range s.Nodes() {
				is, err := s.has(ctx, s.client(j), level, key)
				if err != nil {
					return wrong("Request.Consistency", "a %q read at node %s failed: %v", level, s.id(j), err)
				}
				if !is {
					return wrong("Request.Consistency", "node %s acknowledged a row, and a %q read at node %s does not show it: "+
						"it is acknowledged too early, or the read is answered by one that is behind", s.id(i), level, s.id(j))
				}
			}
		}
		if err := s.showsApplied(ctx, i, before, key); err != nil {
			return err
		}
	}
	return nil
}

// indexes are the applied indexes of the nodes; 0 is unknown.
func (s *subject) indexes(ctx context.Context) []uint64 {
	all := make([]uint64, len(s.Nodes()))
	for i, n := range s.Nodes() {
		if status, err := n.Status(ctx); err == nil {
			all[i] = status.AppliedIndex
		}
	}
	return all
}

// showsApplied checks that each node shows the key once it says that it has applied it.
func (s *subject) showsApplied(ctx context.Context, from int, before []uint64, key int64) error {
	committed, err := s.Nodes()[from].Status(ctx)
	if err != nil {
		return wrong("Node.Status", "the status of the sound node %s cannot be read: %v", s.id(from), err)
	}
	for i, n := range s.Nodes() {
		if err := s.shows(ctx, i, key); err != nil {
			return wrong("Node.Inside", "node %s acknowledged a row that never came to node %s: %v", s.id(from), s.id(i), err)
		}
		if committed.CommitIndex == 0 {
			continue
		}
		var status target.Status
		err := s.await(ctx, func(ctx context.Context) (err error) {
			status, err = n.Status(ctx)
			if err == nil && status.AppliedIndex <= before[i] {
				err = fmt.Errorf("it was %d before the row and is %d", before[i], status.AppliedIndex)
			}
			return err
		})
		if err != nil {
			return wrong("Status.AppliedIndex", "node %s shows a new row, and its applied index has not grown: %v", n.ID(), err)
		}
	}
	return s.appliedMeansVisible(ctx, from)
}

// appliedMeansVisible writes a row, and reads from each node when it has applied what any node knows to be committed: the
// node that acknowledged the row may have passed it on, and not know yet.
func (s *subject) appliedMeansVisible(ctx context.Context, from int) error {
	for range 10 {
		key, err := s.written(ctx, from)
		if err != nil {
			return wrong("Node.Client", "%v", err)
		}
		var committed uint64
		for _, n := range s.Nodes() {
			status, err := n.Status(ctx)
			if err != nil || status.CommitIndex == 0 {
				return nil //nolint:nilerr // another check is about the status
			}
			committed = max(committed, status.CommitIndex)
		}
		for i, n := range s.Nodes() {
			err := s.await(ctx, func(ctx context.Context) error {
				status, err := n.Status(ctx)
				if err == nil && status.AppliedIndex < committed {
					err = fmt.Errorf("it has applied %d of %d", status.AppliedIndex, committed)
				}
				return err
			})
			if err != nil {
				return wrong("Status.AppliedIndex", "node %s does not reach the greatest commit index: %v", n.ID(), err)
			}
			is, err := s.has(ctx, s.inside(i), target.Local, key)
			if err != nil {
				return wrong("Node.Inside", "a local read of node %s failed: %v", n.ID(), err)
			}
			if !is {
				return wrong("Status.AppliedIndex", "node %s says that it has applied what was committed, and does not show it", n.ID())
			}
		}
	}
	return nil
}

func appliesOnce(ctx context.Context, s *subject) error {
	deduplicator, _ := target.As[target.Deduplicator](s.Cluster)
	if deduplicator.Memory() < 1 {
		return wrong("Deduplicator.Memory", "nodes remember %d requests", deduplicator.Memory())
	}
	key := s.key()
	if _, err := s.calmly(ctx, s.client(0), target.Request{SQL: fmt.Sprintf("INSERT INTO %s (k, i) VALUES (%d, 0)", types, key)}); err != nil {
		return wrong("Node.Client", "a sound node took no write: %v", err)
	}
	request := target.Request{
		SQL: fmt.Sprintf("UPDATE %s SET i = i + 1 WHERE k = %d", types, key), ID: fmt.Sprintf("conformance-%d", key),
	}
	for i := range 2 * len(s.Nodes()) {
		_, err := s.calmly(ctx, s.client(i%len(s.Nodes())), request)
		if err != nil && (i == 0 || !errors.Is(err, target.ErrAnswerGone)) {
			return wrong("Request.ID", "a request that is sent again with its ID failed: %v", err)
		}
	}
	answer, err := s.calmly(ctx, s.client(0), target.Request{
		SQL: fmt.Sprintf("SELECT i FROM %s WHERE k = %d", types, key), Consistency: target.Strong,
	})
	if want := [][][]any{{{int64(1)}}}; err != nil || !reflect.DeepEqual(answer, want) {
		return wrong("Request.ID", "a request that was sent %d times with one ID was not applied once: i + 1 from 0 is %v (error: %v)",
			2*len(s.Nodes()), answer, err)
	}
	for i := range s.Nodes() {
		err := s.await(ctx, func(ctx context.Context) error {
			ids, err := deduplicator.Remembered(ctx, i)
			if err == nil && !ids[request.ID] {
				err = fmt.Errorf("it is not among %d", len(ids))
			}
			return err
		})
		if err != nil {
			return wrong("Deduplicator.Remembered", "node %s does not remember the ID of an applied request: %v", s.id(i), err)
		}
	}
	return nil
}

func refusesReuse(ctx context.Context, s *subject) error {
	first, second := insertion(s.key()), insertion(s.key())
	first.ID = fmt.Sprintf("conformance-%d", first.Params[0])
	second.ID = first.ID
	second.SQL = strings.Replace(second.SQL, "VALUES", "\nVALUES", 1)
	if _, err := s.calmly(ctx, s.client(0), first); err != nil {
		return wrong("Request.ID", "a request with an ID failed: %v", err)
	}
	_, err := s.calmly(ctx, s.client(0), second)
	if !errors.Is(err, target.ErrKeyReused) || target.OutcomeOf(err) != target.NotApplied {
		return wrong("Request.ID", "another request with the ID of an applied one must fail with ErrKeyReused, not applied, and answers: %v", err)
	}
	return nil
}
