package speak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
)

// asking is how nodes are asked for their status: described.Status with its templates parsed.
type asking struct {
	ask    []described.Ask
	fields map[string]*template.Template
}

func newAsking(s described.Status) (*asking, error) {
	a := &asking{ask: s.Ask, fields: make(map[string]*template.Template)}
	for _, field := range s.Fields() {
		t, err := described.Template(field.Text, described.Encoding{})
		if err != nil {
			return nil, fmt.Errorf("status %s: %w", field.Name, err)
		}
		a.fields[field.Name] = t
	}
	return a, nil
}

// Asked is a node that is asked for its status.
type Asked struct {
	Node described.Node
	// Call makes an HTTP call to the node: httpsql.Client.Call.
	Call func(ctx context.Context, call described.Call) (any, error)
	// Inside is the node's own SQL.
	Inside target.SQL
	// Named returns the ID of the node with that name or address; the text itself if there is none. It may be nil.
	Named func(text string) string
}

// Status asks a node. It is an error if the node does not answer, or answers what makes no status. LastContact is
// negative unless the node knows a leader.
func (d *Database) Status(ctx context.Context, n Asked) (target.Status, error) {
	return d.asking.status(ctx, n)
}

func (a *asking) status(ctx context.Context, n Asked) (target.Status, error) {
	answers := make(map[string]any)
	for _, ask := range a.ask {
		answer, err := a.answer(ctx, n, ask)
		if err != nil {
			return target.Status{}, err
		}
		if ask.Name != "" {
			answers[ask.Name] = answer
			continue
		}
		object, is := answer.(map[string]any)
		if !is {
			return target.Status{}, fmt.Errorf("status of node %s: the answer is no object and has no name", n.Node.Name)
		}
		for key, value := range object {
			answers[key] = value
		}
	}
	return a.read(n, answers)
}

func (a *asking) answer(ctx context.Context, n Asked, ask described.Ask) (any, error) {
	if ask.Call != nil {
		return n.Call(ctx, *ask.Call)
	}
	rows, err := n.Inside.Query(ctx, target.Request{SQL: ask.SQL, Consistency: target.Local})
	if err != nil {
		return nil, err
	}
	answer := make(map[string]any)
	if rows.NextResult() && rows.Next() {
		var row []any
		if row, err = rows.Row(); err == nil {
			for i, column := range rows.Columns() {
				answer[column.Name] = row[i]
			}
		}
	}
	return answer, errors.Join(err, rows.Err(), rows.Close())
}

// read fills in a status from the answers.
func (a *asking) read(n Asked, answers map[string]any) (target.Status, error) {
	texts := make(map[string]string)
	for name, t := range a.fields {
		text, err := described.Render(t, answers)
		if err != nil {
			return target.Status{}, fmt.Errorf("status of node %s: %s: %w", n.Node.Name, name, err)
		}
		texts[name] = strings.TrimSpace(text)
	}
	s := target.Status{ID: n.Node.Name, Address: n.Node.Address, State: target.State(texts["state"]), Role: texts["role"],
		Leader: texts["leader"], Reason: texts["reason"], LastContact: -1, Voter: true}
	if n.Named != nil {
		s.Leader = n.Named(s.Leader)
	}
	switch s.State {
	case "":
		if a.fields["state"].Root != nil && len(a.fields["state"].Root.Nodes) > 0 {
			return s, a.strange(n, "state", texts, answers)
		}
		s.State = target.Online
	case target.Connecting, target.Syncing, target.Online, target.Leaving, target.Failed:
	default:
		return s, a.strange(n, "state", texts, answers)
	}
	for name, to := range map[string]*uint64{"term": &s.Term, "commit": &s.CommitIndex, "applied": &s.AppliedIndex,
		"snapshot": &s.SnapshotIndex, "restores": &s.Restores, "entries": &s.LogEntries} {
		if len(a.fields[name].Root.Nodes) == 0 {
			continue
		}
		var err error
		if *to, err = strconv.ParseUint(texts[name], 10, 64); err != nil {
			return s, a.strange(n, name, texts, answers)
		}
	}
	if s.Leader != "" {
		s.LastContact = time.Duration(0)
	}
	if s.CommitIndex > s.AppliedIndex {
		s.Behind = s.CommitIndex - s.AppliedIndex
	}
	return s, nil
}

// strange is the error of a field that cannot be read.
func (a *asking) strange(n Asked, name string, texts map[string]string, answers map[string]any) error {
	seen, err := json.Marshal(answers)
	if err != nil {
		seen = []byte(err.Error())
	}
	return fmt.Errorf("status of node %s: %q is no %s; the answers are %s", n.Node.Name, texts[name], name, seen)
}
