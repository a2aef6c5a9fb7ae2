package nemesis

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ResetLink cuts the next message on a link in half, and resets its connection.
var ResetLink = Kind{
	Name:   fault.KindReset,
	Doc:    "cuts the next message on a link in half, and resets its connection",
	Needs:  []target.Ability{target.Links},
	On:     Link,
	Inject: resetLink,
	Bit:    func(before, after Evidence) bool { return after.Links.Resets > before.Links.Resets },
}

func resetLink(ctx context.Context, in *Injection) (Undo, error) {
	link := in.fault.Links[0]
	if err := in.cluster.ResetLink(ctx, link.From, link.To); err != nil {
		return nil, err
	}
	return in.mending(in.fault.Links), nil
}
