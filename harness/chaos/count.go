package chaos

import (
	"fmt"
	"strings"
)

// Count is what became of the faults of one kind. Faults that were not made are counted by reason.
type Count struct {
	Made int // in force for some time
	Bit  int // of those made: the effect was observed
	// Unseen is how many of those made could not be observed, so that it is not known whether they bit.
	Unseen int

	InTheWay    int // not made: other faults of the schedule were in the way
	Unsupported int // not made: the target lacks the ability
	NoQuorum    int // not made: other faults had taken the leader or the quorum that it needs
	NotDue      int // not made: the schedule ended before its time
}

// NotMade is how many were not made, for any reason.
func (c Count) NotMade() int { return c.InTheWay + c.Unsupported + c.NoQuorum + c.NotDue }

// Drawn is how many were in the schedules.
func (c Count) Drawn() int { return c.Made + c.NotMade() }

func (c Count) plus(d Count) Count {
	return Count{
		Made: c.Made + d.Made, Bit: c.Bit + d.Bit, Unseen: c.Unseen + d.Unseen,
		InTheWay: c.InTheWay + d.InTheWay, Unsupported: c.Unsupported + d.Unsupported,
		NoQuorum: c.NoQuorum + d.NoQuorum, NotDue: c.NotDue + d.NotDue,
	}
}

// String is the count in words.
func (c Count) String() string {
	words := fmt.Sprintf("%5d made, %5d bit", c.Made, c.Bit)
	if c.Unseen > 0 {
		words += fmt.Sprintf(", %d could not be observed", c.Unseen)
	}
	words += fmt.Sprintf(", %5d not made", c.NotMade())
	if reasons := c.reasons(); reasons != "" {
		words += " (" + reasons + ")"
	}
	return words
}

// reasons says why faults were not made and how many; "" if all were made.
func (c Count) reasons() string {
	var words []string
	for _, r := range []struct {
		times int
		why   string
	}{
		{c.InTheWay, "other faults were in the way"},
		{c.Unsupported, "unsupported by the target"},
		{c.NoQuorum, "no leader or no quorum"},
		{c.NotDue, "the schedule ended first"},
	} {
		if r.times > 0 {
			words = append(words, fmt.Sprintf("%s: %d", r.why, r.times))
		}
	}
	return strings.Join(words, ", ")
}
