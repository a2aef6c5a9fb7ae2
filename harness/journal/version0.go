package journal

import (
	"fmt"
	"slices"
	"strings"
)

// version0 gives events of version 0 the fields of version 1, in the order in which they were
// recorded. Version 0 said in its texts how many nodes were booted, which flag changed, and which
// statement may change data.
type version0 struct{ voters []int }

// mostNodes is the size of the largest cluster of version 0.
const mostNodes = 101

func (v *version0) upgrade(e *Event) {
	switch e.Kind {
	case Note:
		v.boot(e)
	case Member:
		v.member(e)
	case Flag:
		switch {
		case strings.HasPrefix(e.Text, "take offline"):
			e.Flag = &FlagChange{Online: false}
		case strings.HasPrefix(e.Text, "bring online"):
			e.Flag = &FlagChange{Online: true}
		}
	case Operation:
		if e.Op != nil {
			v.operation(e)
		}
	default:
	}
}

func (v *version0) boot(e *Event) {
	n := 0
	if _, err := fmt.Sscanf(e.Text, "boot %d nodes", &n); err != nil || n < 1 || n > mostNodes {
		return
	}
	e.Kind = Boot
	if e.Err != "" {
		return
	}
	v.voters = nil
	for i := range n {
		v.voters = append(v.voters, i)
	}
	e.Members = &Members{Voters: slices.Clone(v.voters)}
}

func (v *version0) member(e *Event) {
	if e.Err != "" || e.Node == None || v.voters == nil {
		return
	}
	v.voters = slices.DeleteFunc(v.voters, func(node int) bool { return node == e.Node })
	if strings.HasPrefix(e.Text, "add") {
		v.voters = append(v.voters, e.Node)
	}
	e.Members = &Members{Voters: slices.Clone(v.voters)}
}

func (v *version0) operation(e *Event) {
	op := *e.Op
	if len(op.Steps) == 0 {
		verb, _, _ := strings.Cut(strings.TrimSpace(e.Text), " ")
		op.Mutates = slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "REPLACE"}, strings.ToUpper(verb))
	}
	// An operation that was applied and whose answer was lost has an error.
	if op.Outcome == OK && e.Err != "" {
		op.Unread = slices.ContainsFunc(op.Steps, func(s Step) bool { return s.Answers() && s.Got == nil })
	}
	e.Op = &op
}
