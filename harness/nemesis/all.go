package nemesis

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// All returns all kinds, the simple ones first.
func All() []Kind {
	return []Kind{
		Isolate,
		Stop,
		Crash,
		CutOneWay,
		CutBothWays,
		Partition,
		IsolateLeader,
		SlowLink,
		LossyLink,
		DisorderlyLink,
		NarrowLink,
		ResetLink,
		FlappingLink,
		SlowDisk,
		TornDisk,
		FullDisk,
		LyingDisk,
		Wipe,
		CrashInstalling,
		ClockAhead,
		ClockBehind,
		ClockJump,
		CrashAll,
		AddNode,
		RemoveNode,
		Pause,
	}
}

// Find returns the kind of that name, or an *UnknownError.
func Find(name fault.Kind) (Kind, error) {
	for _, k := range All() {
		if k.Name == name {
			return k, nil
		}
	}
	return Kind{}, &UnknownError{name}
}

// UnknownError is returned for a name that no kind has.
type UnknownError struct{ Kind fault.Kind }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no kind %q: the kinds are %q", string(e.Kind), Names(All()))
}

// Names returns the names of the kinds, in their order.
func Names(kinds []Kind) []fault.Kind {
	names := make([]fault.Kind, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return names
}

// Possible returns the kinds for which the cluster's target has the abilities.
func Possible(c *harness.Cluster) []Kind {
	return slices.DeleteFunc(All(), func(k Kind) bool {
		return slices.ContainsFunc(k.Needs, func(a target.Ability) bool { return !c.Can(a) })
	})
}

// Describe describes a fault in words: as its kind does, or as fault.Fault does if there is no such
// kind.
func Describe(f fault.Fault) string {
	k, err := Find(f.Kind)
	if err != nil {
		return f.String()
	}
	return k.Describe(f)
}
