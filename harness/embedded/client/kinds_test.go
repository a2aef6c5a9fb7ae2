package client

import (
	"testing"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		code, message string
		kind          error
	}{
		{CodeUnreachable, "refused", target.ErrUnreachable},
		{embedded.CodeNoLeader, "", target.ErrNoLeader},
		{embedded.CodeNotLeader, "", target.ErrNoLeader},
		{embedded.CodeNoQuorum, "", target.ErrNoQuorum},
		{embedded.CodeFailed, "", target.ErrFailed},
		{embedded.CodeSQL, "statement 2 of 3: UNIQUE constraint failed: t.id", target.ErrConstraint},
		{embedded.CodeSQL, "no such table: main.t", target.ErrNoSuchTable},
		{embedded.CodeSQL, `near "SELEC": syntax error`, target.ErrSyntax},
		{embedded.CodeSQL, "table t already exists", target.ErrExists},
		{embedded.CodeSQL, "datatype mismatch", nil},
		{"NEVER_HEARD_OF", "UNIQUE constraint failed", nil},
	} {
		if kind := kindOf(c.code, c.message); kind != c.kind {
			t.Errorf("%s %q is of the kind %v, not %v", c.code, c.message, c.kind, kind)
		}
	}
}

func TestActivities(t *testing.T) {
	found := activities([]embedded.Work{{Activity: embedded.RestoringSnapshot}, {Activity: 0}, {Activity: embedded.SendingSnapshot, To: "n1"}})
	if found.String() != "installing a snapshot, sending a snapshot to n1" {
		t.Errorf("read as %q", found)
	}
	for a := embedded.ReplayingLog; a <= embedded.SendingSnapshot; a++ {
		if len(activities([]embedded.Work{{Activity: a}})) != 1 {
			t.Errorf("%v is left out", a)
		}
	}
}
