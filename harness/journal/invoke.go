package journal

import (
	"context"
	"slices"
	"time"
)

// Open is an operation that has been invoked and has not ended. Its methods are
// safe for concurrent use.
type Open struct {
	journal *Journal
	event   Event // changed under the journal's lock until it ends
}

// Invoke begins an operation. End must follow. Until then Events shows it as Unknown.
func (j *Journal) Invoke(op Op) *Open {
	o := &Open{journal: j, event: Event{At: time.Now(), Kind: Operation, Node: None, Op: &op}}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.open[o] = struct{}{}
	return o
}

// Asked records the node that is asked, the ID of the request, and its SQL. If several nodes are
// asked for one operation, the journal has the last one.
func (o *Open) Asked(node int, id, text string) {
	o.journal.mu.Lock()
	defer o.journal.mu.Unlock()
	op := *o.event.Op
	op.ID = id
	o.event.Node, o.event.Text, o.event.Op = node, text, &op
}

// End records the operation with its outcome. If steps is not nil it replaces the steps of Invoke,
// and its Got has the results. An OK operation without a result that it should have is recorded as
// Unread. An operation that ends without steps is recorded as plain SQL. Only the first End counts.
func (o *Open) End(outcome Outcome, steps []Step, err error) {
	o.journal.mu.Lock()
	defer o.journal.mu.Unlock()
	if _, open := o.journal.open[o]; !open {
		return
	}
	delete(o.journal.open, o)
	op := *o.event.Op
	op.Outcome = outcome
	if steps != nil {
		op.Steps = steps
	}
	if len(op.Steps) == 0 {
		op.Model = ""
	}
	op.Unread = outcome == OK && slices.ContainsFunc(op.Steps, func(s Step) bool { return s.Answers() && s.Got == nil })
	o.event.Op, o.event.Took = &op, time.Since(o.event.At)
	if err != nil {
		o.event.Err = err.Error()
	}
	o.journal.recordLocked(o.event)
}

// underWay returns the event before its end: it has taken until now.
func (o *Open) underWay() Event {
	e, op := o.event, *o.event.Op
	e.Took = time.Since(e.At)
	op.Outcome = Unknown
	if len(op.Steps) == 0 {
		op.Model = ""
	}
	e.Op, e.Err = &op, "it has not ended"
	return e
}

type openKey struct{}

// Context carries the operation to the code that executes its request, so that both record one event.
func (o *Open) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, openKey{}, o)
}

// FromContext returns the operation that a request belongs to, or nil.
func FromContext(ctx context.Context) *Open {
	o, _ := ctx.Value(openKey{}).(*Open)
	return o
}
