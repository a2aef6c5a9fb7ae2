package check

// reached is a configuration on the way to the end of a task.
type reached struct {
	*config
	// news tells that the last step explained a read, or that there was none. Of changes
	// that commute only those are made before a task that a read demands.
	news bool
}

// explain finds what c may have become when the task ended, in every way, and adds it to
// found. It is false if the budget is spent.
func (s *search) explain(c *config, task int, found *frontier) bool {
	t := &s.tasks[task]
	_, commutes := s.model.(commuting)
	seen := s.newFrontier()
	seen.add(c)
	for open := []reached{{c, true}}; len(open) > 0; {
		p := open[len(open)-1]
		open = open[:len(open)-1]
		for _, class := range s.active {
			if commutes && !p.news && class == t.class && !s.classes[class].reads {
				continue // it could have been first as well
			}
			next := s.step(p.config, class)
			if next == nil {
				continue
			}
			if !s.budget.spend(next.size()) {
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

// step is c after one operation of the class; nil if there is none, or no order goes on
// from there.
func (s *search) step(c *config, class int) *config {
	if !s.takeable(c, class) {
		return nil
	}
	state, can := s.model.apply(c.state, class)
	if !can || s.classes[class].reads && state == c.state || !s.model.allows(s, c, class, state) {
		return nil
	}
	next := c.clone()
	s.take(next, class)
	next.state = state
	return next
}
