package check_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// isolation is how a random history is executed before it is spoiled.
type isolation int

const (
	serially   isolation = iota // each transaction at one instant
	snapshots                   // reads of the state at the first step, writes at the last
	buffered                    // reads of what is committed, writes at the last step
	unisolated                  // each step at its own instant
)

// randomTransactions is a small history: two to six transactions over one to three
// keys, with ties in time, all outcomes and levels, final reads, and reads that are spoiled.
func randomTransactions(r *rand.Rand, model journal.Model) history {
	n, keys, unknowns, spread := 2+r.IntN(5), 1+r.IntN(3), 15*r.IntN(3), int64(1000)
	if r.IntN(2) == 0 {
		spread = int64(n) // with ties
	}
	together := r.IntN(3) > 0 // all at one time
	var h history
	next := int64(0)
	for i := range n {
		e := happened(i, 0, 0, randomOutcome(r, unknowns), model, randomLevel(r), randomSteps(r, model, keys, &next)...)
		a, b := r.Int64N(spread+1), r.Int64N(spread+1)
		if together {
			a, b = 0, spread
		}
		e.At, e.Took = begun.Add(time.Duration(min(a, b))*time.Millisecond), time.Duration(max(a, b)-min(a, b))*time.Millisecond
		e.Op.Unread = e.Op.Outcome == ok && r.IntN(15) == 0
		h = append(h, e)
	}
	if r.IntN(2) == 0 {
		for node := range 1 + r.IntN(2) {
			h = append(h, finalOfAll(r, node, model, keys))
		}
	}
	run(r, h, []isolation{serially, snapshots, snapshots, buffered, unisolated}[r.IntN(5)])
	for range max(0, r.IntN(4)-1) {
		spoilTransactions(r, h, next)
	}
	for _, e := range h {
		for s := range e.Op.Steps {
			if st := &e.Op.Steps[s]; e.Op.Unread && st.Do == journal.Read && r.IntN(2) == 0 {
				st.Got = []int64{r.Int64N(next + 1)} // it must not be used
			}
		}
	}
	r.Shuffle(len(h), func(i, j int) { h[i], h[j] = h[j], h[i] })
	return h
}

func randomOutcome(r *rand.Rand, unknowns int) journal.Outcome {
	switch chance := r.IntN(100); {
	case chance < unknowns:
		return unknown
	case chance < unknowns+5:
		return failed
	}
	return ok
}

func randomLevel(r *rand.Rand) journal.Level {
	return []journal.Level{strong, strong, strong, local, journal.Leader, ""}[r.IntN(6)]
}

func randomSteps(r *rand.Rand, model journal.Model, keys int, next *int64) []journal.Step {
	var steps []journal.Step
	writes := 1 + r.IntN(3) // of four steps
	for range 1 + r.IntN(4) {
		key := fmt.Sprint("k", r.IntN(keys))
		if r.IntN(4) >= writes {
			steps = append(steps, journal.Step{Do: journal.Read, Key: key})
			continue
		}
		steps = append(steps, journal.Step{Do: writing(model), Key: key, Value: *next})
		*next++
	}
	return steps
}

func writing(model journal.Model) journal.Do {
	if model == journal.List {
		return journal.Append
	}
	return journal.Write
}

// finalOfAll is a final read of every key. Its time may be wrong: that it is final counts.
func finalOfAll(r *rand.Rand, node int, model journal.Model, keys int) journal.Event {
	var steps []journal.Step
	for k := range keys {
		steps = append(steps, journal.Step{Do: journal.Read, Key: fmt.Sprint("k", k)})
	}
	e := final(node, model, steps...)
	if r.IntN(4) == 0 {
		e.At = begun
	}
	return e
}

// instant is when a step takes effect.
type instant struct {
	event, step int
	at          float64
}

const never = 1e9

func run(r *rand.Rand, h history, how isolation) {
	var order []instant
	last := make([]int, len(h))
	for i, e := range h {
		from, took := float64(e.At.Sub(begun)), float64(e.Took)
		if e.Op.Outcome == unknown {
			took = float64(2 * time.Second)
		}
		at := from + r.Float64()*took
		dropped := e.Op.Outcome == failed && r.IntN(4) > 0 || e.Op.Outcome == unknown && r.IntN(3) == 0
		for s := range e.Op.Steps {
			switch {
			case e.Op.Final:
				at = never
			case s > 0 && how != serially:
				at += r.Float64() * (from + took - at)
			}
			if !dropped {
				order = append(order, instant{i, s, at})
			}
		}
		last[i] = len(e.Op.Steps) - 1
	}
	slices.SortStableFunc(order, func(a, b instant) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	db := &database{how: how, now: contents{}, begun: map[int]contents{}, own: map[int]contents{}, model: h[0].Op.Model}
	for _, at := range order {
		e := h[at.event]
		db.step(at.event, &e.Op.Steps[at.step], e.Op.Outcome == ok && !e.Op.Unread)
		if at.step == last[at.event] {
			db.commit(e.Op.Steps)
		}
	}
	for _, e := range h {
		for s := range e.Op.Steps {
			if st := &e.Op.Steps[s]; st.Do == journal.Read && st.Got == nil && e.Op.Outcome == ok && !e.Op.Unread {
				st.Got = []int64{}
			}
		}
	}
}

type contents map[string][]int64

func (s contents) clone() contents {
	c := contents{}
	for k, v := range s {
		c[k] = slices.Clone(v)
	}
	return c
}

func (s contents) write(model journal.Model, st journal.Step) {
	if model != journal.List {
		s[st.Key] = nil
	}
	s[st.Key] = append(s[st.Key], st.Value)
}

// database executes steps in an order, well or badly isolated.
type database struct {
	how   isolation
	model journal.Model
	now   contents
	begun map[int]contents
	own   map[int]contents // writes that are not committed
}

func (db *database) step(by int, st *journal.Step, known bool) {
	if db.begun[by] == nil {
		db.begun[by], db.own[by] = db.now.clone(), contents{}
	}
	view := db.now
	if db.how == snapshots {
		view = db.begun[by]
	}
	if st.Do != journal.Read {
		if db.how == unisolated || db.how == serially {
			db.now.write(db.model, *st)
		} else {
			db.own[by].write(db.model, *st)
		}
		return
	}
	if !known {
		return
	}
	got, mine := view[st.Key], db.own[by][st.Key]
	if db.model == journal.List {
		got = slices.Concat(got, mine)
	} else if mine != nil {
		got = mine
	}
	st.Got = append([]int64{}, got...)
}

func (db *database) commit(steps []journal.Step) {
	if db.how == unisolated || db.how == serially {
		return
	}
	for _, st := range steps {
		if st.Do != journal.Read {
			db.now.write(db.model, st)
		}
	}
}

// spoilTransactions changes one known read.
func spoilTransactions(r *rand.Rand, h history, values int64) {
	op := h[r.IntN(len(h))].Op
	st := &op.Steps[r.IntN(len(op.Steps))]
	if st.Do != journal.Read || st.Got == nil {
		return
	}
	some := r.Int64N(values + 1)
	switch {
	case op.Model != journal.List && r.IntN(3) == 0:
		st.Got = []int64{}
	case op.Model != journal.List:
		st.Got = []int64{some}
	case r.IntN(8) == 0:
		r.Shuffle(len(st.Got), func(i, j int) { st.Got[i], st.Got[j] = st.Got[j], st.Got[i] })
	case r.IntN(3) == 0:
		st.Got = append(st.Got, some)
	case len(st.Got) > 0:
		st.Got = st.Got[:r.IntN(len(st.Got))]
	}
}
