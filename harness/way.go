package harness

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Way is a way to lose a node.
type Way string

// The ways.
const (
	Isolate Way = "isolate" // its links are cut, to nodes and clients; it runs on, alone
	Stop    Way = "stop"    // it is asked to leave: it hands leadership over, and closes
	Crash   Way = "crash"   // it ends between two instructions, and loses what it had not synced
	Pause   Way = "pause"   // it is frozen, with its sockets open
)

// reason is how a node is that was lost that way.
func (w Way) reason() string {
	switch w {
	case Isolate:
		return "isolated"
	case Stop:
		return "stopped"
	case Crash:
		return "crashed"
	case Pause:
		return "paused"
	}
	return string(w)
}

// oneWay is the way that was said; Isolate if none was.
func oneWay(ways []Way) (Way, error) {
	switch len(ways) {
	case 0:
		return Isolate, nil
	case 1:
		return ways[0], nil
	}
	return "", fmt.Errorf("a node is lost in one way, and not in %d: %v", len(ways), ways)
}

// injure is what the target does to lose a node that way, or an error if it cannot.
func (c *Cluster) injure(way Way) (func(ctx context.Context, node int) error, error) {
	starter, starts := target.As[target.Starter](c.cluster)
	pauser, pauses := target.As[target.Pauser](c.cluster)
	switch {
	case way == Isolate:
		return c.cluster.Isolate, nil
	case way == Stop && starts:
		return starter.Stop, nil
	case way == Stop:
		return nil, &UnsupportedError{target.Stop}
	case way == Crash && starts:
		return starter.Crash, nil
	case way == Crash:
		return nil, &UnsupportedError{target.Crash}
	case way == Pause && pauses:
		return pauser.Pause, nil
	case way == Pause:
		return nil, &UnsupportedError{target.Pause}
	}
	return nil, fmt.Errorf("no node is lost in the way %q: the ways are %s, %s, %s and %s", string(way), Isolate, Stop, Crash, Pause)
}
