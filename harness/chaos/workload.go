package chaos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/fixtures"
	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Workload is what clients do to a cluster, so that it can be judged. It is for one
// cluster. Next is safe for concurrent use.
type Workload interface {
	// Name is the workload's, as in Named.
	Name() string
	// Setup makes the workload's namespace and tables.
	Setup(ctx context.Context, c *harness.Cluster) error
	// Next is what the client does next, by chance.
	Next(chance *rand.Rand, client int) Operation
	// Final reads everything on every node, each for its own state, and writes it
	// down. The cluster must be healed, and nobody must change anything any more.
	Final(ctx context.Context, c *harness.Cluster) error
}

// Operation is one request of a client.
type Operation struct {
	Op   journal.Op // but for the client, which whoever runs it knows
	SQL  string
	Args []any
	// Read says what the steps came to. If it is nil each step is one statement: of
	// one that reads Got is the first column, of a CAS whether a row was changed.
	Read func(harness.Result) ([]journal.Step, error)
	// Done, unless nil, hears what became of it.
	Done func(journal.Outcome)
}

// read is the operation's steps with what they read.
func (o Operation) read(result harness.Result) ([]journal.Step, error) {
	if o.Read != nil {
		return o.Read(result)
	}
	if len(result.Tables) != len(o.Op.Steps) {
		return nil, fmt.Errorf("%d statements were answered by %d results", len(o.Op.Steps), len(result.Tables))
	}
	steps := slices.Clone(o.Op.Steps)
	for i, table := range result.Tables {
		switch steps[i].Do {
		case journal.Read:
			got, err := column(table, 0)
			if err != nil {
				return nil, err
			}
			steps[i].Got = got
		case journal.CAS:
			steps[i].Got = []int64{table.Affected}
		}
	}
	return steps, nil
}

// column are the whole numbers in a column of an answer.
func column(table harness.Table, at int) ([]int64, error) {
	got := make([]int64, len(table.Rows))
	for i, row := range table.Rows {
		if at >= len(row) {
			return nil, fmt.Errorf("row %d has %d columns", i+1, len(row))
		}
		n, is := row[at].(int64)
		if !is {
			return nil, fmt.Errorf("row %d has %v (%T), and not a whole number", i+1, row[at], row[at])
		}
		got[i] = n
	}
	return got, nil
}

// Named makes a workload by its name, in namespaces that begin with ns: register,
// set, list, pairs, bank, counter, unique or ddl.
func Named(name, ns string) (Workload, error) {
	for _, w := range Workloads(ns) {
		if w.Name() == name {
			return w, nil
		}
	}
	return nil, fmt.Errorf("there is no workload %q: there are %s", name, strings.Join(Names(), ", "))
}

// Names are the names of all workloads.
func Names() []string {
	var names []string
	for _, w := range Workloads("") {
		names = append(names, w.Name())
	}
	return names
}

// Workloads are all of them, each in a namespace of its own that begins with ns.
func Workloads(ns string) []Workload {
	return []Workload{Register(ns), Set(ns), List(ns), Pairs(ns), Bank(ns), Counter(ns), Unique(ns), DDL(ns)}
}

// script is a file of fixtures/workloads: requests by their names.
type script struct {
	name, ns string
	requests map[string]string
}

func newScript(name, ns string) script {
	s := script{name: name, ns: ns + "_" + name, requests: make(map[string]string)}
	text, err := fs.ReadFile(fixtures.Files, "workloads/"+name+".sql")
	if err != nil {
		panic(err) // the files are part of the binary
	}
	request := ""
	for line := range strings.Lines(string(text)) {
		if title, is := strings.CutPrefix(line, "-- "); is {
			request = strings.TrimSpace(title)
			continue
		}
		s.requests[request] += strings.ReplaceAll(line, "{ns}", s.ns)
	}
	return s
}

// Name is the file's.
func (s script) Name() string { return s.name }

// sql is the text of the requests of these names, as one request.
func (s script) sql(names ...string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = strings.TrimSpace(s.requests[name])
	}
	return strings.Join(texts, ";\n")
}

// Setup makes the namespace, and what the file says.
func (s script) Setup(ctx context.Context, c *harness.Cluster) error {
	if _, err := c.ExecuteWithRetry(ctx, "CREATE NAMESPACE "+s.ns+"; "+s.sql("setup")); err != nil {
		return fmt.Errorf("set up the workload %s: %w", s.name, err)
	}
	return nil
}

// final has every node asked for its own state, at rest.
func (s script) final(ctx context.Context, c *harness.Cluster, o Operation) error {
	var errs []error
	for _, node := range c.Reading(target.Local).OnlineNodes() {
		op := o.Op
		op.Client, op.Level, op.Final = journal.Nobody, journal.Local, true
		open := c.Journal().Invoke(op)
		result, err := node.Execute(open.Context(ctx), o.SQL, o.Args...)
		var steps []journal.Step
		if err == nil {
			steps, err = o.read(result)
		}
		outcome := journal.OK
		if err != nil {
			outcome = journal.Failed
			errs = append(errs, fmt.Errorf("final read of the workload %s: %w", s.name, err))
		}
		open.End(outcome, steps, err)
	}
	return errors.Join(errs...)
}

// once is an operation of one step, by one statement.
func once(model journal.Model, step journal.Step, sql string, args ...any) Operation {
	return Operation{Op: journal.Op{Model: model, Steps: []journal.Step{step}}, SQL: sql, Args: args}
}

// at is the same operation, read at that level.
func (o Operation) at(level journal.Level) Operation {
	o.Op.Level = level
	return o
}
