package check

import (
	"cmp"
	"slices"
)

// reached is a configuration on the way to the end of a task.
type reached struct {
	*config
	// news tells that the last step explained a read, or that there was no step. Of changes that
	// commute, only those that a read demands are made before a task.
	news bool
}

// attempt is the cost of trying a step, in bytes of the budget.
const attempt = 16

// explain adds to found every configuration that c may lead to at the end of the task. It returns
// false if the budget is spent.
func (s *search) explain(c *config, task int, found *frontier) bool {
	t := &s.tasks[task]
	if m, is := s.model.(leaping); is && s.width > 0 {
		return s.leap(m, c, task, found)
	}
	_, commutes := s.model.(commuting)
	seen := s.newFrontier()
	seen.add(c)
	steps := 0
	for open := []reached{{c, true}}; len(open) > 0; {
		p := open[0]
		open = open[1:]
		if steps++; s.width > 0 && steps > s.width {
			s.narrowed = true
			return true
		}
		for _, class := range s.towards(p.config, t.class) {
			if commutes && !p.news && class == t.class && !s.classes[class].reads {
				continue // the order of the two does not matter
			}
			if !s.budget.spend(attempt) {
				return false
			}
			next := s.step(p.config, class)
			if next == nil {
				continue
			}
			if !s.budget.spend(next.size() + attempt*len(s.active)) {
				return false
			}
			news := s.settle(next)
			switch {
			case next.has(t.slot):
				found.add(next)
			case seen.add(next):
				open = append(open, reached{next, news})
			}
		}
	}
	return true
}

// leap is explain in strides, which finds few configurations, but quickly.
func (s *search) leap(m leaping, c *config, task int, found *frontier) bool {
	t := &s.tasks[task]
	s.narrowed = true
	seen := s.newFrontier()
	steps := 0
	for open := []*config{c}; len(open) > 0 && steps < s.width; steps++ {
		from := open[0]
		open = open[1:]
		for _, stride := range m.leaps(s, from, t.class) {
			next := s.stride(from, stride)
			if next == nil {
				continue
			}
			if !s.budget.spend(next.size() + attempt*len(s.active)) {
				return false
			}
			s.settle(next)
			switch {
			case next.has(t.slot):
				found.add(next)
			case seen.add(next):
				open = append(open, next)
			}
		}
	}
	return true
}

// stride returns c after one operation of each of the classes, in a possible order.
func (s *search) stride(c *config, classes []int) *config {
	for left := classes; len(left) > 0; {
		var rest []int
		for _, class := range left {
			if next := s.step(c, class); next != nil {
				c = next
			} else {
				rest = append(rest, class)
			}
		}
		if len(rest) == len(left) {
			return nil
		}
		left = rest
	}
	return c
}

// towards returns the classes that may lead to one of the class.
func (s *search) towards(c *config, class int) []int {
	if m, is := s.model.(guided); is {
		if way := m.towards(s, c, class); way != nil {
			return way
		}
	}
	return s.active
}

// narrow keeps as many configurations as the search allows: those that have used the fewest
// operations of unknown outcome.
func (s *search) narrow(all []*config) []*config {
	if s.width == 0 || len(all) <= s.width {
		return all
	}
	s.narrowed = true
	slices.SortStableFunc(all, func(a, b *config) int { return cmp.Or(a.total()-b.total(), b.weight()-a.weight()) })
	return all[:s.width]
}

// step returns c after one operation of the class; nil if there is none, or if no order continues
// from there.
func (s *search) step(c *config, class int) *config {
	if !s.takeable(c, class) {
		return nil
	}
	state, can := s.model.apply(c.state, class)
	if !can || s.classes[class].reads && state == c.state && !s.waits(c, class) || !s.model.allows(s, c, class, state) {
		return nil
	}
	next := c.clone()
	if m, is := s.model.(hiding); is {
		m.hide(s, next, class)
	}
	s.take(next, class)
	next.state = state
	return next
}
