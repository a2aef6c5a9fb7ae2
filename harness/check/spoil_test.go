package check_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"slices"

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
	return fixture(1)
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
