package check

import "github.com/rejoin-db/rejoin/harness/journal"

// A register to which no value is written twice knows more than its model: which operation leads to
// a value, and which writes need not be seen. The orders that it rules out are no better than those
// that it leaves, except for compares that did not match.

// towards follows values back from the one that an operation of the class needs, to the one that the
// register holds or to a write that needs none.
func (r *register) towards(s *search, c *config, class int) []int {
	if !r.unique {
		return nil
	}
	need, is := r.needs(class)
	if !is && r.classes[class][0].do != journal.Write {
		return nil
	}
	for range r.classes { // no longer: values may form a cycle
		switch {
		case !is && r.allows(s, c, class, another):
			return []int{class}
		case !is:
			return r.compares(s, c) // the current value must not be lost
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

// needs returns the value that the register must hold for an operation of the class.
func (r *register) needs(class int) (value int, is bool) {
	switch first := r.classes[class][0]; {
	case first.do == journal.Read:
		return first.got, true
	case first.do == journal.CAS && first.got != 0:
		return first.old, true
	}
	return 0, false
}

// compares returns the classes that compare the value that the register holds in c.
func (r *register) compares(s *search, c *config) []int {
	next := []int{}
	for _, class := range r.readers[c.state] {
		if !s.classes[class].reads && s.due(c, class) > 0 {
			next = append(next, class)
		}
	}
	return next
}

// hide applies writes that an operation of the class overwrites at once, and all their reads.
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

// block tells whether all operations that need a value are in progress, so that they can take effect
// together with its write; if take is set it applies them. most limits how many values follow.
func (r *register) block(s *search, c *config, value, most int, take bool) bool {
	if most < 0 {
		return false // the values form a cycle
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

// comparing returns how many pending operations compare and set that value.
func (r *register) comparing(s *search, c *config, value int) (n int) {
	for _, reader := range r.readers[value] {
		if !s.classes[reader].reads {
			n += s.due(c, reader)
		}
	}
	return n
}
