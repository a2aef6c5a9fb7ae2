package check

import (
	"cmp"
	"slices"
)

// answer is the result of a search.
type answer int

const (
	possible answer = iota
	impossible
	undecided
)

// boundary is the beginning or the end of a task.
type boundary struct {
	task int
	ends bool
}

func (s *search) moments() []boundary {
	moments := make([]boundary, 0, 2*len(s.tasks))
	for i, t := range s.tasks {
		moments = append(moments, boundary{i, false})
		if !t.unknown {
			moments = append(moments, boundary{i, true})
		}
	}
	slices.SortStableFunc(moments, func(a, b boundary) int { return s.compare(a, b) })
	return moments
}

// compare orders boundaries by time. A beginning comes before an end at the same instant, so
// operations that share an instant are concurrent.
func (s *search) compare(a, b boundary) int {
	x, y := &s.tasks[a.task], &s.tasks[b.task]
	from, to := x.from, y.from
	if a.ends {
		from = x.to
	}
	if b.ends {
		to = y.to
	}
	return cmp.Or(
		-compareBools(x.always && !a.ends, y.always && !b.ends),
		compareBools(x.final, y.final),
		from.Compare(to),
		compareBools(a.ends, b.ends),
	)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// run decides the search. If there is no order, or the budget does not suffice, stuck is the task
// whose end could not be explained.
func (s *search) run(initial int) (found answer, stuck int) {
	s.frontier = []*config{{state: initial}}
	s.settle(s.frontier[0])
	for _, m := range s.moments() {
		if !m.ends {
			s.begin(m.task)
			continue
		}
		if !s.end(m.task) {
			return undecided, m.task
		}
		switch {
		case len(s.frontier) > 0:
		case s.narrowed:
			return undecided, m.task
		default:
			return impossible, m.task
		}
	}
	return possible, -1
}

func (s *search) begin(i int) {
	t := &s.tasks[i]
	k := &s.classes[t.class]
	if !k.active {
		k.active = true
		s.active = append(s.active, t.class)
	}
	if t.unknown {
		k.perhaps--
		k.spare++
	} else {
		k.future--
		t.slot = s.newSlot()
		at, _ := slices.BinarySearchFunc(k.under, i, func(other, i int) int {
			return cmp.Or(s.compare(boundary{other, true}, boundary{i, true}), cmp.Compare(other, i))
		})
		k.under = slices.Insert(k.under, at, i)
	}
	if _, is := s.model.(hasty); !is && !k.reads {
		return
	}
	for _, c := range s.frontier {
		s.settle(c)
	}
}

func (s *search) newSlot() int {
	if n := len(s.free); n > 0 {
		slot := s.free[n-1]
		s.free = s.free[:n-1]
		return slot
	}
	s.slots++
	return s.slots - 1
}

// end keeps the configurations in which the task has taken effect. It returns false if the budget is
// spent.
func (s *search) end(i int) bool {
	t := &s.tasks[i]
	var late []*config
	next := s.frontier[:0]
	for _, c := range s.frontier {
		if c.has(t.slot) {
			next = append(next, c)
		} else {
			late = append(late, c)
		}
	}
	if len(late) > 0 {
		merged := s.newFrontier()
		for _, c := range next {
			merged.add(c)
		}
		for _, c := range late {
			if !s.explain(c, i, merged) {
				return false
			}
		}
		next = s.narrow(merged.all())
	}
	for _, c := range next {
		c.clear(t.slot)
	}
	s.frontier = next
	s.retire(i)
	return true
}

func (s *search) retire(i int) {
	t := &s.tasks[i]
	k := &s.classes[t.class]
	k.under = slices.DeleteFunc(k.under, func(other int) bool { return other == i })
	s.free = append(s.free, t.slot)
	if len(k.under) == 0 && k.spare == 0 {
		k.active = false
		s.active = slices.DeleteFunc(s.active, func(class int) bool { return class == t.class })
	}
}

// settle applies to c everything that need not wait: reads that c explains, and operations that the
// model is eager for. It tells whether it explained a read.
func (s *search) settle(c *config) (news bool) {
	m, is := s.model.(hasty)
	for again := true; again; {
		again = false
		for _, class := range s.active {
			if !s.takeable(c, class) {
				continue
			}
			next, can := s.model.apply(c.state, class)
			switch {
			case !can:
			case s.classes[class].reads && next == c.state && s.waits(c, class):
			case s.classes[class].reads && next == c.state:
				for s.take(c, class) {
				}
				news, again = true, is
			case is && m.eager(s, c, class):
				s.take(c, class)
				c.state = next
				again = true
			}
		}
	}
	return news
}
