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
	for text, want := range map[string]string{
		"":                     "",
		"replaying the log":    "replaying the log",
		"restoring a snapshot": "installing a snapshot",
		"taking a snapshot, sending a snapshot to n1": "taking a snapshot, sending a snapshot to n1",
		"moving to another place":                     "moving to another place",
	} {
		if found := activities(text).String(); found != want {
			t.Errorf("%q is read as %q", text, found)
		}
	}
	if found := activities("sending a snapshot to n1"); !found.Include(target.SendingSnapshot) || found[0].Peer != "n1" {
		t.Errorf("read as %+v", found)
	}
}
