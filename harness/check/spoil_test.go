package check_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var spoils = flag.Int("check.spoils", 6, "how often each kind of change is made to the real journal")

// A real journal of a sound run is spoiled in one place, in a way that surely breaks a
// promise. Every such change must be noticed.
var _ = Describe("A real journal", func() {
	It("is sound", func() {
		Expect(check.All(realJournal())).To(Succeed())
	})

	for _, s := range spoilers {
		It("is found broken when "+s.what, func() {
			r := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 1))
			made := 0
			for range *spoils {
				h := realJournal()
				what, possible := s.spoil(&spoiled{h, r})
				if !possible {
					continue
				}
				made++
				found := check.All(h)
				_, noticed := errors.AsType[*check.Violation](found)
				Expect(noticed).To(BeTrue(), "%s: %v", what, found)
			}
			Expect(made).To(BeNumerically(">=", *spoils/2), "the journal has too few places for this change")
		})
	}
})

// realJournal is the journal of a chaos run with all workloads, read anew.
func realJournal() history {
	GinkgoHelper()
	file, err := os.Open("../../fixtures/journals/version-1.jsonl")
	Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	events, err := journal.Decode(file)
	Expect(err).NotTo(HaveOccurred())
	return events
}

// spoiled is a journal that is being spoiled.
type spoiled struct {
	events history
	random *rand.Rand
}

// at is a step of an operation.
type at struct {
	event *journal.Event
	step  *journal.Step
}

// steps are all steps of a model that meet a condition.
func (s *spoiled) steps(model journal.Model, is func(at) bool) (found []at) {
	for i := range s.events {
		e := &s.events[i]
		if e.Op == nil || e.Op.Model != model {
			continue
		}
		for j := range e.Op.Steps {
			if here := (at{e, &e.Op.Steps[j]}); is(here) {
				found = append(found, here)
			}
		}
	}
	return found
}

// some is one of the steps; false if there is none.
func (s *spoiled) some(from []at) (at, bool) {
	if len(from) == 0 {
		return at{}, false
	}
	return from[s.random.IntN(len(from))], true
}

func (a at) read() bool { return a.step.Do == journal.Read && a.step.Got != nil }

func (a at) fresh() bool { return a.read() && (a.event.Op.Level == journal.Strong || a.event.Op.Final) }

func (a at) strong() bool { return a.fresh() && !a.event.Op.Final }

func (a at) ok() bool { return a.event.Op.Outcome == journal.OK }

func (a at) holds(value int64) bool { return slices.Contains(a.step.Got, value) }

// before tells whether one operation had ended when the other began.
func before(a, b *journal.Event) bool {
	return b.Op.Final && !a.Op.Final || !a.Op.Final && a.End().Before(b.At)
}

// adds are the acknowledged additions of a model whose value is in every final read.
func (s *spoiled) adds(model journal.Model, do journal.Do) []at {
	return s.steps(model, func(a at) bool {
		return a.step.Do == do && a.ok() && len(s.finals(model, a.step.Key)) > 0 &&
			!slices.ContainsFunc(s.finals(model, a.step.Key), func(f at) bool { return !f.holds(a.step.Value) })
	})
}

func (s *spoiled) finals(model journal.Model, key string) []at {
	return s.steps(model, func(a at) bool { return a.read() && a.event.Op.Final && a.step.Key == key })
}

// forget takes a value out of every read of a key.
func (s *spoiled) forget(model journal.Model, key string, value int64) {
	for _, a := range s.steps(model, func(a at) bool { return a.read() && a.step.Key == key && a.holds(value) }) {
		a.step.Got = slices.DeleteFunc(slices.Clone(a.step.Got), func(v int64) bool { return v == value })
	}
}

// nowhere is a value that no operation has to do with.
const nowhere = 1 << 40

type spoiler struct {
	what  string
	spoil func(*spoiled) (string, bool)
}

var spoilers = slices.Concat(
	collections(journal.List, journal.Append), collections(journal.Set, journal.Add),
	collections(journal.Unique, journal.Insert)[:6], // its clients read nothing on the way
	listSpoilers, registerSpoilers, bankSpoilers, counterSpoilers, nodeSpoilers,
)

// collections are changes that spoil every model whose reads hold all values.
func collections(model journal.Model, do journal.Do) []spoiler {
	of := string(model) + ": "
	return []spoiler{
		{of + "an acknowledged value is lost on every node", func(s *spoiled) (string, bool) {
			a, is := s.some(s.adds(model, do))
			if is {
				s.forget(model, a.step.Key, a.step.Value)
			}
			return a.String(), is
		}},
		{of + "an acknowledged value is lost on one node", func(s *spoiled) (string, bool) {
			a, is := s.some(s.adds(model, do))
			if !is {
				return "", false
			}
			f, _ := s.some(s.finals(model, a.step.Key))
			f.step.Got = slices.DeleteFunc(slices.Clone(f.step.Got), func(v int64) bool { return v == a.step.Value })
			return a.String(), true
		}},
		{of + "a value is there that was never added", func(s *spoiled) (string, bool) {
			a, is := s.some(s.steps(model, at.fresh))
			if is {
				a.step.Got = append(slices.Clone(a.step.Got), nowhere)
			}
			return a.String(), is
		}},
		{of + "a value is there twice", func(s *spoiled) (string, bool) {
			a, is := s.some(s.steps(model, func(a at) bool { return a.fresh() && len(a.step.Got) > 0 }))
			if is {
				a.step.Got = append(slices.Clone(a.step.Got), a.step.Got[s.random.IntN(len(a.step.Got))])
			}
			return a.String(), is
		}},
		{of + "an addition that is there is said to have failed", func(s *spoiled) (string, bool) {
			a, is := s.some(s.adds(model, do))
			if is {
				a.event.Op.Outcome = journal.Failed
			}
			return a.String(), is
		}},
		{of + "the addition of a value that is there is missing from the history", func(s *spoiled) (string, bool) {
			a, is := s.some(s.adds(model, do))
			if is {
				a.event.Kind, a.event.Op = journal.Note, nil
			}
			return "", is
		}},
		{of + "a strong read misses what was acknowledged before", func(s *spoiled) (string, bool) {
			for _, a := range shuffled(s, s.adds(model, do)) {
				reads := s.steps(model, func(r at) bool {
					return r.strong() && r.step.Key == a.step.Key && r.holds(a.step.Value) && before(a.event, r.event)
				})
				if r, is := s.some(reads); is {
					r.step.Got = slices.DeleteFunc(slices.Clone(r.step.Got), func(v int64) bool { return v == a.step.Value })
					return r.String(), true
				}
			}
			return "", false
		}},
	}
}

func (a at) String() string {
	if a.event == nil {
		return "nothing"
	}
	return a.event.String()
}

func shuffled(s *spoiled, steps []at) []at {
	s.random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	return steps
}

var listSpoilers = []spoiler{
	{"list: an unknown transaction is torn", func(s *spoiled) (string, bool) {
		for _, a := range shuffled(s, s.adds(journal.List, journal.Append)) {
			i := slices.IndexFunc(a.event.Op.Steps, func(o journal.Step) bool { return o.Do == journal.Append && o.Key != a.step.Key })
			if i < 0 {
				continue
			}
			op := a.event.Op
			op.Outcome, op.Unread = journal.Unknown, false
			for j := range op.Steps {
				op.Steps[j].Got = nil
			}
			s.forget(journal.List, op.Steps[i].Key, op.Steps[i].Value)
			return a.String(), true
		}
		return "", false
	}},
	{"list: two values stand the other way round in one read", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.List, func(a at) bool { return a.fresh() && len(a.step.Got) > 1 && ends(s, a) > 1 }))
		if is {
			got := slices.Clone(a.step.Got)
			got[0], got[1] = got[1], got[0]
			a.step.Got = got
		}
		return a.String(), is
	}},
	{"list: two values stand the other way round everywhere, though one was acknowledged before the other began", func(s *spoiled) (string, bool) {
		for _, a := range shuffled(s, s.adds(journal.List, journal.Append)) {
			for _, b := range s.adds(journal.List, journal.Append) {
				if a.step.Key != b.step.Key || !before(a.event, b.event) {
					continue
				}
				for _, r := range s.steps(journal.List, func(r at) bool { return r.read() && r.step.Key == a.step.Key }) {
					i, j := slices.Index(r.step.Got, a.step.Value), slices.Index(r.step.Got, b.step.Value)
					r.step.Got = slices.Clone(r.step.Got)
					switch {
					case i >= 0 && j >= 0:
						r.step.Got[i], r.step.Got[j] = b.step.Value, a.step.Value
					case i >= 0:
						r.step.Got[i] = b.step.Value
					}
				}
				return a.String(), true
			}
		}
		return "", false
	}},
}

// ends is how many reads of the key hold the first two values of the read.
func ends(s *spoiled, a at) int {
	return len(s.steps(journal.List, func(b at) bool {
		return b.read() && b.step.Key == a.step.Key && b.holds(a.step.Got[0]) && b.holds(a.step.Got[1])
	}))
}

// overwritten are pairs of acknowledged writes of a register, one after the other.
func (s *spoiled) overwritten() (first, second at, is bool) {
	writes := s.steps(journal.Register, func(a at) bool { return a.step.Do == journal.Write && a.ok() })
	for _, a := range shuffled(s, slices.Clone(writes)) {
		for _, b := range writes {
			if a.step.Key == b.step.Key && before(a.event, b.event) {
				return a, b, true
			}
		}
	}
	return at{}, at{}, false
}

var registerSpoilers = []spoiler{
	{"register: a strong read sees a value that was overwritten before", func(s *spoiled) (string, bool) {
		for range 100 {
			a, b, is := s.overwritten()
			if !is {
				return "", false
			}
			r, is := s.some(s.steps(journal.Register, func(r at) bool { return r.fresh() && r.step.Key == a.step.Key && before(b.event, r.event) }))
			if is {
				r.step.Got = []int64{a.step.Value}
				return r.String(), true
			}
		}
		return "", false
	}},
	{"register: a read sees a value that was never written", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Register, at.fresh))
		if is {
			a.step.Got = []int64{nowhere}
		}
		return a.String(), is
	}},
	{"register: a read sees nothing after an acknowledged write", func(s *spoiled) (string, bool) {
		for _, a := range shuffled(s, s.steps(journal.Register, func(a at) bool { return a.step.Do == journal.Write && a.ok() })) {
			r, is := s.some(s.steps(journal.Register, func(r at) bool { return r.fresh() && r.step.Key == a.step.Key && before(a.event, r.event) }))
			if is {
				r.step.Got = []int64{}
				return r.String(), true
			}
		}
		return "", false
	}},
	{"register: a write that was read is said to have failed", func(s *spoiled) (string, bool) {
		for _, a := range shuffled(s, s.steps(journal.Register, func(a at) bool { return a.step.Do == journal.Write && a.ok() })) {
			if len(s.steps(journal.Register, func(r at) bool { return r.fresh() && r.step.Key == a.step.Key && r.holds(a.step.Value) })) > 0 {
				a.event.Op.Outcome = journal.Failed
				return a.String(), true
			}
		}
		return "", false
	}},
	{"register: a compare that matched is said not to have, and its value was read", func(s *spoiled) (string, bool) {
		for _, a := range shuffled(s, s.steps(journal.Register, func(a at) bool { return a.step.Do == journal.CAS && a.ok() && a.holds(1) })) {
			if len(s.steps(journal.Register, func(r at) bool { return r.fresh() && r.step.Key == a.step.Key && r.holds(a.step.Value) })) > 0 {
				a.step.Got = []int64{0}
				return a.String(), true
			}
		}
		return "", false
	}},
	{"register: one node ends with another value", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Register, func(a at) bool { return a.event.Op.Final && len(a.step.Got) == 1 }))
		if !is {
			return "", false
		}
		w, is := s.some(s.steps(journal.Register, func(w at) bool {
			return w.step.Do == journal.Write && w.ok() && w.step.Key == a.step.Key && !a.holds(w.step.Value)
		}))
		if is {
			a.step.Got = []int64{w.step.Value}
		}
		return a.String(), is
	}},
}

// more adds to what reads of a key found.
func more(reads []at, by int64) {
	for _, r := range reads {
		r.step.Got = []int64{r.step.Got[0] + by}
	}
}

var bankSpoilers = []spoiler{
	{"bank: a read finds more money", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, at.fresh))
		if is {
			more([]at{a}, 1)
		}
		return a.String(), is
	}},
	{"bank: an account has vanished", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, at.fresh))
		if is {
			a.step.Got = []int64{}
		}
		return a.String(), is
	}},
	{"bank: money is wrong from the first read on", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, at.fresh))
		if is {
			more(s.steps(journal.Bank, func(b at) bool { return b.read() && b.step.Key == a.step.Key }), 7)
		}
		return a.String(), is
	}},
	{"bank: an acknowledged transfer is lost everywhere", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, func(a at) bool { return a.step.Do == journal.Increment && a.ok() }))
		if !is {
			return "", false
		}
		// Reads that surely follow are turned back; those that overlap go away.
		for _, t := range a.event.Op.Steps {
			more(s.steps(journal.Bank, func(r at) bool { return r.read() && r.step.Key == t.Key && before(a.event, r.event) }), -t.Value)
		}
		for i := range s.events {
			e := &s.events[i]
			if e.Op != nil && e.Op.Model == journal.Bank && !e.Op.Changes() && !before(a.event, e) && !before(e, a.event) {
				e.Kind, e.Op = journal.Note, nil
			}
		}
		return a.String(), true
	}},
	{"bank: a balance is negative", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, at.fresh))
		if is {
			i := slices.IndexFunc(a.event.Op.Steps, func(o journal.Step) bool { return o.Key != a.step.Key })
			other := &a.event.Op.Steps[i]
			other.Got = []int64{other.Got[0] + a.step.Got[0] + 1}
			a.step.Got = []int64{-1}
		}
		return a.String(), is
	}},
}

var counterSpoilers = []spoiler{
	{"counter: the end misses some", func(s *spoiled) (string, bool) {
		return s.count(func(a at) bool { return a.event.Op.Final }, -1)
	}},
	{"counter: a read finds more than was ever added", func(s *spoiled) (string, bool) {
		return s.count(func(at) bool { return true }, nowhere)
	}},
	{"counter: an acknowledged increment is lost everywhere", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Counter, func(a at) bool { return a.step.Do == journal.Increment && a.ok() }))
		if is {
			unknown := s.steps(journal.Counter, func(u at) bool { return u.step.Key == a.step.Key && u.event.Op.Outcome == journal.Unknown })
			if len(unknown) > 0 {
				return "", false // one of those may stand in for it
			}
			more(s.finals(journal.Counter, a.step.Key), -a.step.Value)
		}
		return a.String(), is
	}},
}

func (s *spoiled) count(is func(at) bool, by int64) (string, bool) {
	a, found := s.some(s.steps(journal.Counter, func(a at) bool { return a.fresh() && len(a.step.Got) == 1 && is(a) }))
	if found {
		more([]at{a}, by)
	}
	return a.String(), found
}

var nodeSpoilers = []spoiler{
	{"nodes: one holds other data at a log index", func(s *spoiled) (string, bool) {
		e, is := s.state(func(e *journal.Event) bool { return e.Kind == journal.Check && e.State.Digest != "" })
		if is {
			state := *e.State
			state.Digest += "x"
			e.State = &state
		}
		return "", is
	}},
	{"nodes: one ends behind", func(s *spoiled) (string, bool) {
		for i := len(s.events) - 1; i >= 0; i-- {
			e := &s.events[i]
			if e.Kind == journal.Check && e.State != nil && e.State.Digest != "" {
				state := *e.State
				state.Applied--
				state.Digest += "x"
				e.State = &state
				return "", true
			}
		}
		return "", false
	}},
	{"nodes: two lead in one term", func(s *spoiled) (string, bool) {
		e, is := s.state(func(e *journal.Event) bool { return e.Kind == journal.Shown && e.State.Role == "leader" })
		if !is {
			return "", false
		}
		state := *e.State
		other := *e
		other.Node, other.At, other.State = e.Node+1, e.At.Add(time.Millisecond), &state
		s.events[0] = other // the boot's own place
		return "", true
	}},
}

func (s *spoiled) state(is func(*journal.Event) bool) (*journal.Event, bool) {
	var found []*journal.Event
	for i := range s.events {
		if e := &s.events[i]; e.State != nil && is(e) {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return nil, false
	}
	return found[s.random.IntN(len(found))], true
}
