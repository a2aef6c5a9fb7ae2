package check

import "github.com/rejoin-db/rejoin/harness/journal"

// What a register on which no value is written twice knows beyond its model: which
// operation leads to a value, and which need not be seen. All that it rules out is no
// better than what it leaves, but for compares that did not match.

// towards follows the values back, from the one that an operation of the class needs to
// the one that the register holds or to a write that needs none.
func (r *register) towards(s *search, c *config, class int) []int {
	if !r.unique {
		return nil
	}
	need, is := r.needs(class)
	if !is && r.classes[class][0].do != journal.Write {
		return nil
	}
	for range r.classes { // no longer, if values lead in a circle
		switch {
		case !is && r.allows(s, c, class, another):
			return []int{class}
		case !is:
			return r.compares(s, c) // the value that is held must not be lost
		case need == c.state:
			return []int{class}
		case len(r.suppliers[need]) == 0:
			return []int{}
		}
		class = r.suppliers[need][0]
		need, is = r.needs(class)
	}
	return []int{}
}

// needs is the value that the register has to hold for an operation of the class.
func (r *register) needs(class int) (value int, is bool) {
	switch first := r.classes[class][0]; {
	case first.do == journal.Read:
		return first.got, true
	case first.do == journal.CAS && first.got != 0:
		return first.old, true
	}
	return 0, false
}

// compares are the classes that compare and set what the register holds in c.
func (r *register) compares(s *search, c *config) []int {
	next := []int{}
	for _, class := range r.readers[c.state] {
		if !s.classes[class].reads && s.due(c, class) > 0 {
			next = append(next, class)
		}
	}
	return next
}

// hide makes writes take effect that one of the class overwrites at once, with all that
// read them.
func (r *register) hide(s *search, c *config, class int) {
	if r.classes[class][0].do != journal.Write || r.refusals && !r.unique {
		return
	}
	for _, other := range s.active {
		steps := r.classes[other]
		if other == class || len(steps) != 1 || steps[0].do != journal.Write {
			continue
		}
		for s.takeableInTime(c, other) && r.block(s, c, steps[0].value, len(r.values), false) {
			s.take(c, other)
			r.block(s, c, steps[0].value, len(r.values), true)
		}
	}
}

// block tells whether all that needs a value is under way, so that it can take effect
// with the write of it; and makes it, if take is set. Most bounds how many values follow.
func (r *register) block(s *search, c *config, value, most int, take bool) bool {
	if most < 0 {
		return false // values lead in a circle
	}
	if r.comparing(s, c, value) > 1 {
		return false // the first of them ends the value
	}
	for _, reader := range r.readers[value] {
		due := s.due(c, reader)
		switch {
		case due == 0:
			continue
		case !r.unique || s.classes[reader].future > 0:
			return false
		case !s.classes[reader].reads && !r.block(s, c, r.classes[reader][0].value, most-1, take):
			return false
		}
		for range due {
			if take {
				s.take(c, reader)
			}
		}
	}
	return true
}

// comparing is how many operations are due that compare and set that value.
func (r *register) comparing(s *search, c *config, value int) (n int) {
	for _, reader := range r.readers[value] {
		if !s.classes[reader].reads {
			n += s.due(c, reader)
		}
	}
	return n
}
