package check_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var sessionHistories = flag.Int("check.sessions", 2000, "how many small histories of each model each session guarantee is compared on")

// The four session guarantees are compared with a search through all sets of writes that
// each read can have been answered from, and all orders of the writes.
var _ = Describe("Session guarantees and exhaustive search", func() {
	for _, model := range []journal.Model{journal.Register, journal.Set, journal.List, journal.Counter} {
		for _, name := range []string{"monotonic reads", "read your writes", "monotonic reads, at any node",
			"read your writes, at any node", "monotonic writes", "writes follow reads"} {
			across := name == "monotonic writes" || name == "writes follow reads"
			if model == journal.Counter && across {
				continue // a counter does not show which writes it holds
			}
			It(fmt.Sprintf("agree on %s of a %s", name, model), func() {
				rule, err := check.Find(name)
				Expect(err).NotTo(HaveOccurred())
				r := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 5))
				found := map[bool]int{}
				for range *sessionHistories {
					h := drawSessions(r, model)
					v := rule.Judge(h)
					if v.Refused != nil || errors.Is(v.Err(), check.ErrNothing) {
						continue
					}
					sound := (&sessionSearch{history: h, name: name}).sound()
					found[sound]++
					Expect(v.Err() == nil).To(Equal(sound), "%s: %v\n%s", name, v.Err(), shownHistory(h))
				}
				Expect(found[true]).To(BeNumerically(">", *sessionHistories/20), "sound histories")
				Expect(found[false]).To(BeNumerically(">", *sessionHistories/300), "broken histories")
			})
		}
	}
})

func shownHistory(h history) (text string) {
	for _, e := range h {
		text += fmt.Sprintf("  %d to %d: %v level %s\n", e.At.Sub(begun)/time.Millisecond, e.End().Sub(begun)/time.Millisecond, e, levelOf(e))
	}
	return text
}

func levelOf(e journal.Event) journal.Level {
	if e.Op == nil {
		return ""
	}
	return e.Op.Level
}

// sessionSearch decides one guarantee by trying everything.
type sessionSearch struct {
	history
	name   string
	writes []sessionWrite
	reads  []journal.Event
	answer []map[int]bool // of each read, the writes that it was answered from
	rank   []int          // of each write, its place in the order
}

type sessionWrite struct {
	event journal.Event
	step  journal.Step
}

func endedBefore(a, b journal.Event) bool {
	return b.Op.Final && !a.Op.Final || !a.Op.Final && a.End().Before(b.At)
}

func (s *sessionSearch) sound() bool {
	for _, e := range s.history {
		if e.Op == nil || e.Op.Outcome == failed {
			continue
		}
		reads := false
		for _, st := range e.Op.Steps {
			switch {
			case st.Do == journal.Read || st.Do == journal.CAS && len(st.Got) == 1 && st.Got[0] == 1:
				reads = reads || e.Op.Outcome == ok && st.Got != nil
			}
			if st.Do != journal.Read && !(st.Do == journal.CAS && len(st.Got) == 1 && st.Got[0] == 0) {
				s.writes = append(s.writes, sessionWrite{e, st})
			}
		}
		if reads {
			s.reads = append(s.reads, e)
		}
	}
	if s.model() == journal.Counter {
		return s.counters()
	}
	return s.orders(nil)
}

func (s *sessionSearch) model() journal.Model {
	for _, e := range s.history {
		if e.Op != nil {
			return e.Op.Model
		}
	}
	return ""
}

// orders tries every order of the writes.
func (s *sessionSearch) orders(chosen []int) bool {
	if len(chosen) == len(s.writes) {
		s.rank = make([]int, len(chosen))
		for place, w := range chosen {
			s.rank[w] = place
		}
		s.answer = nil
		return s.compares() && s.answers(0)
	}
	for w := range s.writes {
		if !slices.Contains(chosen, w) && s.orders(append(slices.Clone(chosen), w)) {
			return true
		}
	}
	return false
}

// compares tells whether what each compare found stands before what it wrote.
func (s *sessionSearch) compares() bool {
	for w, a := range s.writes {
		if a.step.Do != journal.CAS || len(a.step.Got) != 1 {
			continue
		}
		for o, b := range s.writes {
			if b.step.Key == a.step.Key && b.step.Value == a.step.Old && s.rank[o] >= s.rank[w] {
				return false
			}
		}
	}
	return true
}

// answers tries every set of writes for the read with that number.
func (s *sessionSearch) answers(number int) bool {
	if number == len(s.reads) {
		return true
	}
	r := s.reads[number]
	for set := range 1 << len(s.writes) {
		from := make(map[int]bool)
		possible := true
		for w := range s.writes {
			if set&(1<<w) != 0 {
				from[w] = true
				possible = possible && (r.Op.Final || !s.writes[w].event.At.After(r.End()))
			}
		}
		if !possible || !s.shows(r, from) {
			continue
		}
		s.answer = append(s.answer, from)
		if s.allGuaranteed(number) && s.answers(number+1) {
			return true
		}
		s.answer = s.answer[:number]
	}
	return false
}

// shows tells whether a read answered from those writes got what it got.
func (s *sessionSearch) shows(r journal.Event, from map[int]bool) bool {
	for _, st := range r.Op.Steps {
		want := st.Got
		if st.Do == journal.CAS {
			want = []int64{st.Old}
		}
		got := []int64{}
		for place := range s.writes {
			w := slices.Index(s.rank, place)
			if !from[w] || s.writes[w].step.Key != st.Key || s.writes[w].event.Op == r.Op {
				continue
			}
			value := s.writes[w].step.Value
			switch s.writes[w].step.Do {
			case journal.Remove:
			case journal.Write, journal.CAS:
				got = []int64{value}
			default:
				got = append(got, value)
			}
		}
		for w := range from {
			if s.writes[w].step.Do == journal.Remove {
				got = slices.DeleteFunc(got, func(v int64) bool { return v == s.writes[w].step.Value })
			}
		}
		if r.Op.Model == journal.Set {
			got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
		}
		if !slices.Equal(got, want) {
			return false
		}
	}
	// At rest everything that surely happened is there.
	for w, made := range s.writes {
		if r.Op.Final && s.model() == journal.Register && !from[w] && s.surely(made) && (s.name == "monotonic writes" ||
			s.name == "writes follow reads") {
			return false
		}
	}
	return true
}

// surely tells whether a write was acknowledged, or a read shows it.
func (s *sessionSearch) surely(w sessionWrite) bool {
	if w.event.Op.Outcome == ok {
		return true
	}
	return slices.ContainsFunc(s.reads, func(r journal.Event) bool {
		return slices.ContainsFunc(r.Op.Steps, func(st journal.Step) bool {
			return st.Do == journal.Read && st.Key == w.step.Key && slices.Contains(st.Got, w.step.Value)
		})
	})
}

// keys are those that a read is about.
func keys(e journal.Event) (keys []string) {
	for _, st := range e.Op.Steps {
		keys = append(keys, st.Key)
	}
	return keys
}

// allGuaranteed tells whether all answers up to that read keep the guarantee: that of a
// later read may show what an earlier one lacks.
func (s *sessionSearch) allGuaranteed(number int) bool {
	for n := range number + 1 {
		if !s.guaranteed(n) {
			return false
		}
	}
	return true
}

// guaranteed tells whether the answer of the read keeps the guarantee.
func (s *sessionSearch) guaranteed(number int) bool {
	r, from := s.reads[number], s.answer[number]
	switch s.name {
	case "monotonic reads", "monotonic reads, at any node":
		for earlier := range s.answer {
			before := s.reads[earlier]
			if s.inOneSession(before, r) && endedBefore(before, r) && !s.includes(from, s.answer[earlier], keys(before), keys(r)) {
				return false
			}
		}
	case "read your writes", "read your writes, at any node":
		for w, made := range s.writes {
			if made.event.Op.Outcome == ok && s.wroteInSession(made.event, r) && endedBefore(made.event, r) && slices.Contains(keys(r),
				made.step.Key) && !from[w] {
				return false
			}
		}
	case "monotonic writes":
		for w := range from {
			for o, earlier := range s.writes {
				if earlier.event.Op.Outcome == ok && earlier.event.Op.Client == s.writes[w].event.Op.Client && earlier.event.Op.Client >= 0 &&
					endedBefore(earlier.event, s.writes[w].event) && s.lacks(from, o, w) {
					return false
				}
			}
		}
	case "writes follow reads":
		for w := range from {
			for n, read := range s.reads[:len(s.answer)] {
				if read.Op.Client != s.writes[w].event.Op.Client || read.Op.Client < 0 || !endedBefore(read, s.writes[w].event) {
					continue
				}
				for o := range s.answer[n] {
					if slices.Contains(keys(read), s.writes[o].step.Key) && o != w && s.lacks(from, o, w) {
						return false
					}
				}
			}
		}
	}
	return true
}

// lacks tells whether an answer with one write lacks another that must come before it:
// both have an order if they are of one key. A register shows no more than its last write.
func (s *sessionSearch) lacks(from map[int]bool, earlier, later int) bool {
	one := s.writes[earlier].step.Key == s.writes[later].step.Key
	if !one && s.model() == journal.Register {
		return false
	}
	return !from[earlier] || one && s.rank[earlier] > s.rank[later]
}

// includes tells whether an answer holds all of an earlier one that matters to both.
func (s *sessionSearch) includes(now, earlier map[int]bool, keys, read []string) bool {
	for w := range earlier {
		if slices.Contains(keys, s.writes[w].step.Key) && slices.Contains(read, s.writes[w].step.Key) && !now[w] {
			return false
		}
	}
	return true
}

func (s *sessionSearch) anywhere() bool {
	return s.name == "monotonic reads, at any node" || s.name == "read your writes, at any node"
}

func (s *sessionSearch) inOneSession(a, b journal.Event) bool {
	switch {
	case a.Op.Client != b.Op.Client || a.Op.Client < 0:
		return false
	case s.anywhere(), a.Op.Level == strong && b.Op.Level == strong:
		return true
	}
	return a.Op.Level != strong && b.Op.Level != strong && s.oneLife(a, b)
}

func (s *sessionSearch) wroteInSession(w, r journal.Event) bool {
	switch {
	case w.Op.Client != r.Op.Client || w.Op.Client < 0:
		return false
	case s.anywhere(), r.Op.Level == strong:
		return true
	}
	return s.oneLife(w, r)
}

func (s *sessionSearch) oneLife(a, b journal.Event) bool {
	return a.Node == b.Node && !slices.ContainsFunc(s.history, func(e journal.Event) bool {
		return e.Flag != nil && e.Node == a.Node && !e.At.Before(a.At) && e.At.Before(b.At)
	})
}

// counters compares numbers: a counter does not show which writes it holds.
func (s *sessionSearch) counters() bool {
	for _, r := range s.reads {
		for _, st := range r.Op.Steps {
			if s.name == "monotonic reads" || s.name == "monotonic reads, at any node" {
				for _, before := range s.reads {
					for _, other := range before.Op.Steps {
						if other.Key == st.Key && s.inOneSession(before, r) && endedBefore(before, r) && other.Got[0] > st.Got[0] {
							return false
						}
					}
				}
				continue
			}
			var own int64
			for _, w := range s.writes {
				if w.event.Op.Outcome == ok && w.step.Key == st.Key && s.wroteInSession(w.event, r) && endedBefore(w.event, r) {
					own += w.step.Value
				}
			}
			if st.Got[0] < own {
				return false
			}
		}
	}
	return true
}
