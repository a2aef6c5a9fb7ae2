package defects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/consistency"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/promises"
	"github.com/rejoin-db/rejoin/harness/target"
)

// oracles are bugs in what judges a database and injects faults: faults that are injected or healed only in part,
// comparisons and promises that miss something.
func oracles() []Defect {
	const directions, diverging = "suite:directions", "suite:diverging"
	return []Defect{
		isolating("isolated-node-hears", "an isolated node still receives messages from the others", directions,
			func(node, from, _ int) bool { return from == node }),
		isolating("isolated-node-is-heard", "the others still receive messages from an isolated node", directions,
			func(node, _, to int) bool { return to == node }),
		isolating("isolation-forgets-a-node", "an isolated node and the last of the others still reach each other", directions,
			func(node, from, to int) bool { return last(node) != from && last(node) != to }),
		inTarget("clocks-stay-wrong", "a skewed clock is not reset", directions,
			func(c target.Cluster) target.Cluster {
				clocks, _ := target.As[target.ClockSetter](c)
				return stubborn{skewing{c, clocks}}
			}),
		inTarget("way-back-stays-cut", "a cut link from a node to its clients is not healed", directions,
			func(c target.Cluster) target.Cluster {
				linker, _ := target.As[target.LinkFaulter](c)
				return unhealed{linking{c, linker}}
			}),
		inComparer("order-is-not-compared", "the order of rows is not compared, even with ORDER BY in the query", aboutComparing,
			func(c consistency.Comparison) consistency.Comparison { c.Ordered = false; return c }),
		inComparer("last-node-is-not-compared", "the last node is not compared", aboutComparing,
			func(c consistency.Comparison) consistency.Comparison {
				c.Nodes = c.Nodes[:max(1, len(c.Nodes)-1)]
				return c
			}),
		inRows("bags-are-sets", "duplicate rows of a node count once",
			func(rows target.Rows) target.Rows { return &distinct{Rows: rows, seen: make(map[string]bool)} }),
		inRows("types-are-not-compared", "values are compared as text",
			func(rows target.Rows) target.Rows { return asText{rows} }),
		inRows("last-row-is-not-compared", "the last row of an answer of two or more is not compared",
			func(rows target.Rows) target.Rows { return &allButOne{Rows: rows} }),
		inRows("columns-are-not-compared", "column names are not compared",
			func(rows target.Rows) target.Rows { return nameless{rows} }),
		inDigests("digest-is-of-rows-alone", "the digest of a node covers its rows, but no views, triggers, indexes and counters", diverging,
			func(d digesting) target.Cluster { return rowsAlone{d} }),
		inDigests("third-digest-is-the-first", "the digest of every node from the third on is that of the first", diverging,
			func(d digesting) target.Cluster { return firstTwo{d} }),
		inDigests("acknowledged-on-one-node-is-enough", "an acknowledged change counts as present if any node has it", diverging,
			func(d digesting) target.Cluster { return anyone{d} }),
		inPromises("keys-of-clients-are-not-watched", "an acknowledged change with a client's own key is not checked",
			func(p harness.Promises) harness.Promises { return unnamed{p} }),
		inPromises("latest-acknowledged-is-not-watched", "the latest acknowledged change is not checked",
			func(p harness.Promises) harness.Promises { return oneLate{Promises: p, next: new(string)} }),
		inPromises("only-the-latest-term-counts", "of the terms that a node has led, only the latest is recorded",
			func(p harness.Promises) harness.Promises { return latestTerm{p} }),
		inPromises("forgotten-votes-are-not-watched", "a node that reports no vote is not checked for an earlier vote",
			func(p harness.Promises) harness.Promises { return voters{p} }),
	}
}

const judge = "oracles"

// The labels of the specs that find them.
const (
	aboutComparing = "suite:comparing"
	aboutPromises  = "suite:promises"
)

// last returns the last of three nodes except node.
func last(node int) int {
	if node == 2 {
		return 1
	}
	return 2
}

func inTarget(name, text, about string, wrong func(target.Cluster) target.Cluster) Defect {
	return Defect{Name: name, Kind: judge, Text: text, About: about, target: func(t target.Target) (target.Target, error) {
		return target.Decorate(t, func(c target.Cluster) (target.Cluster, error) {
			if !target.Can(c, target.Links) || !target.Can(c, target.Clocks) {
				return nil, errors.New("the cluster must support links and clocks")
			}
			return wrong(c), nil
		}), nil
	}}
}

// isolating is a bug of Isolate: it cuts only the links between nodes for which cuts returns true.
func isolating(name, text, about string, cuts func(node, from, to int) bool) Defect {
	return inTarget(name, text, about, func(c target.Cluster) target.Cluster {
		linker, _ := target.As[target.LinkFaulter](c)
		return partly{linking{c, linker}, cuts}
	})
}

type linking struct {
	target.Cluster
	target.LinkFaulter
}

var _ target.Decorator = linking{}

func (c linking) Unwrap() target.Cluster { return c.Cluster }

type partly struct {
	linking
	cuts func(node, from, to int) bool
}

func (c partly) Isolate(ctx context.Context, node int) error {
	return c.set(ctx, node, fault.Drop, fault.Refuse)
}
func (c partly) Rejoin(ctx context.Context, node int) error {
	return c.set(ctx, node, fault.Pass, fault.Pass)
}

func (c partly) set(ctx context.Context, node int, others, clients fault.Action) error {
	set := func(from, to int, mode fault.Action) error {
		if from != fault.Clients && to != fault.Clients && !c.cuts(node, from, to) {
			return nil
		}
		return c.SetLink(ctx, from, to, fault.Rule{Action: mode})
	}
	errs := []error{set(node, fault.Clients, clients), set(fault.Clients, node, clients)}
	for other := range c.Nodes() {
		if other != node {
			errs = append(errs, set(node, other, others), set(other, node, others))
		}
	}
	return errors.Join(errs...)
}

type skewing struct {
	target.Cluster
	target.ClockSetter
}

var _ target.Decorator = skewing{}

func (c skewing) Unwrap() target.Cluster { return c.Cluster }

type stubborn struct{ skewing }

func (c stubborn) SetClock(ctx context.Context, node int, ahead time.Duration) error {
	if ahead == 0 {
		return nil
	}
	return c.skewing.SetClock(ctx, node, ahead)
}

type unhealed struct{ linking }

func (c unhealed) SetLink(ctx context.Context, from, to int, rule fault.Rule) error {
	if to == fault.Clients && rule == (fault.Rule{}) {
		return nil
	}
	return c.linking.SetLink(ctx, from, to, rule)
}

// inComparer is a bug in the comparison of nodes.
func inComparer(name, text, about string, wrong func(consistency.Comparison) consistency.Comparison) Defect {
	return Defect{Name: name, Kind: judge, Text: text, About: about, comparer: comparer{wrong}}
}

type comparer struct {
	wrong func(consistency.Comparison) consistency.Comparison
}

func (c comparer) Compare(ctx context.Context, comparison consistency.Comparison) error {
	return consistency.ByValue{}.Compare(ctx, c.wrong(comparison))
}

// inRows is a bug in the part of each answer that is compared.
func inRows(name, text string, wrong func(target.Rows) target.Rows) Defect {
	return inComparer(name, text, aboutComparing, func(c consistency.Comparison) consistency.Comparison {
		nodes := make([]consistency.Node, len(c.Nodes))
		for i, node := range c.Nodes {
			nodes[i] = misread{node, wrong}
		}
		c.Nodes = nodes
		return c
	})
}

type misread struct {
	consistency.Node
	wrong func(target.Rows) target.Rows
}

func (m misread) Query(ctx context.Context) (target.Rows, error) {
	rows, err := m.Node.Query(ctx)
	if err != nil {
		return nil, err
	}
	return m.wrong(rows), nil
}

type distinct struct {
	target.Rows
	seen map[string]bool
}

func (d *distinct) Next() bool {
	for d.Rows.Next() {
		if row := string(d.Raw()); !d.seen[row] {
			d.seen[row] = true
			return true
		}
	}
	return false
}

type asText struct{ target.Rows }

func (t asText) Raw() []byte {
	row, err := t.Row()
	if err != nil {
		return t.Rows.Raw()
	}
	return fmt.Append(nil, row)
}

// allButOne lags one row behind, and drops the last.
type allButOne struct {
	target.Rows
	raw   []byte
	row   []any
	more  bool
	began bool
}

func (a *allButOne) Next() bool {
	if !a.began {
		a.began, a.more = true, a.Rows.Next()
		if a.more {
			a.keep()
			a.more = a.Rows.Next()
			return true
		}
		return false
	}
	if !a.more {
		return false
	}
	a.keep()
	a.more = a.Rows.Next()
	return a.more
}

func (a *allButOne) keep()               { a.raw = slices.Clone(a.Rows.Raw()); a.row, _ = a.Rows.Row() }
func (a *allButOne) Raw() []byte         { return a.raw }
func (a *allButOne) Row() ([]any, error) { return a.row, nil }

type nameless struct{ target.Rows }

func (n nameless) Columns() []target.Column { return make([]target.Column, len(n.Rows.Columns())) }

// inDigests is a bug in the digests of nodes.
func inDigests(name, text, about string, wrong func(digesting) target.Cluster) Defect {
	return Defect{Name: name, Kind: judge, Text: text, About: about, target: func(t target.Target) (target.Target, error) {
		return target.Decorate(t, func(c target.Cluster) (target.Cluster, error) {
			digester, digests := target.As[target.Digester](c)
			deduplicator, remembers := target.As[target.Deduplicator](c)
			if !digests || !remembers {
				return nil, errors.New("the cluster must support digests and remembered requests")
			}
			return wrong(digesting{c, digester, deduplicator}), nil
		}), nil
	}}
}

type digesting struct {
	target.Cluster
	target.Digester
	target.Deduplicator
}

var _ target.Decorator = digesting{}

func (d digesting) Unwrap() target.Cluster { return d.Cluster }

type firstTwo struct{ digesting }

func (d firstTwo) Digest(ctx context.Context, node int) (uint64, string, error) {
	index, sum, err := d.digesting.Digest(ctx, node)
	if err == nil && node > 1 {
		_, sum, err = d.digesting.Digest(ctx, 0)
	}
	return index, sum, err
}

type rowsAlone struct{ digesting }

func (d rowsAlone) Digest(ctx context.Context, node int) (uint64, string, error) {
	index, _, err := d.digesting.Digest(ctx, node)
	if err != nil {
		return 0, "", err
	}
	inside := d.Nodes()[node].Inside()
	sum := sha256.New()
	var tables []string
	const all = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' " +
		"AND name <> 'rejoin_applied' ORDER BY name"
	err = eachRow(ctx, inside, all, func(rows target.Rows) error {
		row, err := rows.Row()
		if err == nil {
			tables = append(tables, row[0].(string))
		}
		return err
	})
	for _, table := range tables {
		if err == nil {
			err = hashTable(ctx, inside, table, sum)
		}
	}
	return index, hex.EncodeToString(sum.Sum(nil)), err
}

func hashTable(ctx context.Context, node target.SQL, table string, sum hash.Hash) error {
	return eachRow(ctx, node, `SELECT * FROM main."`+strings.ReplaceAll(table, `"`, `""`)+`"`, func(rows target.Rows) error {
		sum.Write(rows.Raw())
		return nil
	})
}

func eachRow(ctx context.Context, node target.SQL, sql string, use func(target.Rows) error) (err error) {
	rows, err := node.Query(ctx, target.Request{SQL: sql, Consistency: target.Local})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.NextResult() {
		for rows.Next() {
			if err := use(rows); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

type anyone struct{ digesting }

func (d anyone) Remembered(ctx context.Context, _ int) (map[string]bool, error) {
	all := make(map[string]bool)
	for node := range d.Nodes() {
		ids, err := d.digesting.Remembered(ctx, node)
		if err != nil {
			continue // the node may have been removed
		}
		maps.Copy(all, ids)
	}
	return all, nil
}

// inPromises is a bug in the tracking of promises.
func inPromises(name, text string, wrong func(harness.Promises) harness.Promises) Defect {
	return Defect{Name: name, Kind: judge, Text: text, About: aboutPromises, watch: wrong}
}

type unnamed struct{ harness.Promises }

func (u unnamed) Acknowledge(id string) {
	if strings.HasPrefix(id, "harness-") {
		u.Promises.Acknowledge(id)
	}
}

// oneLate records a change when the next one arrives.
type oneLate struct {
	harness.Promises
	next *string
}

func (o oneLate) Acknowledge(id string) {
	if *o.next != "" {
		o.Promises.Acknowledge(*o.next)
	}
	*o.next = id
}

type latestTerm struct{ harness.Promises }

func (l latestTerm) Led(node promises.Node, terms []uint64) error {
	return l.Promises.Led(node, terms[max(0, len(terms)-1):])
}

type voters struct{ harness.Promises }

func (v voters) Voted(node promises.Node, vote target.Vote, asked uint64) error {
	if vote.Term == 0 {
		return nil
	}
	return v.Promises.Voted(node, vote, asked)
}
