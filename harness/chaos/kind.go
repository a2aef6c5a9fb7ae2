package chaos

import "github.com/rejoin-db/rejoin/harness/target"

// Kind is what a fault does.
type Kind string

// The kinds. Node is the node that a fault is about, or where its link begins;
// Other is where its link ends.
const (
	Isolate Kind = "isolate" // all links of the node are cut, and its flag is down
	Stop    Kind = "stop"    // the node leaves in good order
	Crash   Kind = "crash"   // the node ends between two instructions
	Pause   Kind = "pause"   // the node is frozen
	Wipe    Kind = "wipe"    // the node crashes, and comes back with an empty disk
	// CrashInstalling is a crash, and another in the middle of the snapshot that brings
	// the node up to date.
	CrashInstalling Kind = "crash while installing"

	CutOneWay     Kind = "cut one way"   // the link drops everything
	CutBothWays   Kind = "cut both ways" // so does the link back
	Partition     Kind = "partition"     // the nodes below Node and from it on are apart
	IsolateLeader Kind = "isolate the leader"
	SlowLink      Kind = "slow link"     // By is its latency
	LossyLink     Kind = "lossy link"    // one message of five is lost
	NarrowLink    Kind = "narrow link"   // 2000 bytes a second
	ResetLink     Kind = "reset link"    // a message is cut in half, and its connection reset
	FlappingLink  Kind = "flapping link" // both ways, twice in By

	SlowDisk  Kind = "slow disk"  // By is how much longer a sync takes
	FullDisk  Kind = "full disk"  // it ends with a crash and an empty disk
	LyingDisk Kind = "lying disk" // it ends with a crash and an empty disk
	TornDisk  Kind = "torn disk"  // it ends with a crash in the middle of a write

	ClockAhead  Kind = "clock ahead"  // by By
	ClockBehind Kind = "clock behind" // by By
	ClockJump   Kind = "clock jump"   // ahead by By, then behind by it, then right

	AddNode    Kind = "add a node"    // and remove it at the end
	RemoveNode Kind = "remove a node" // and add one at the end
	CrashAll   Kind = "crash all"     // all nodes at once
)

// Kinds are all kinds, the simple ones first.
func Kinds() []Kind {
	return []Kind{
		Isolate, Stop, Crash, CutOneWay, CutBothWays, Partition, IsolateLeader,
		SlowLink, LossyLink, NarrowLink, ResetLink, FlappingLink,
		SlowDisk, TornDisk, FullDisk, LyingDisk, Wipe, CrashInstalling,
		ClockAhead, ClockBehind, ClockJump,
		CrashAll, AddNode, RemoveNode, Pause,
	}
}

// forgets tells whether the node loses what it had promised to keep. The cluster
// stands one such node at a time, and only as a new member.
func (k Kind) forgets() bool {
	return k == Wipe || k == FullDisk || k == LyingDisk
}

// ofNode tells whether the fault has the node for itself: no other such fault
// meets it.
func (k Kind) ofNode() bool {
	switch k {
	case Isolate, Stop, Crash, Pause, Wipe, CrashInstalling, SlowDisk, FullDisk, LyingDisk, TornDisk, RemoveNode:
		return true
	}
	return false
}

// ofLink tells whether the fault is about the link from Node to Other.
func (k Kind) ofLink() bool {
	switch k {
	case CutOneWay, CutBothWays, SlowLink, LossyLink, NarrowLink, ResetLink, FlappingLink:
		return true
	}
	return false
}

// ofClock tells whether the fault is about a clock.
func (k Kind) ofClock() bool { return k == ClockAhead || k == ClockBehind || k == ClockJump }

// needs are the abilities of the target that the fault, or its end, takes.
func (k Kind) needs() []target.Ability {
	switch k {
	case Stop:
		return []target.Ability{target.Stop}
	case Crash, CrashAll:
		return []target.Ability{target.Crash}
	case Pause:
		return []target.Ability{target.Pause}
	case Wipe:
		return []target.Ability{target.Crash, target.Members}
	case SlowDisk:
		return []target.Ability{target.Disks}
	case CrashInstalling, TornDisk:
		return []target.Ability{target.Crash, target.Disks}
	case FullDisk, LyingDisk:
		return []target.Ability{target.Crash, target.Disks, target.Members}
	case ClockAhead, ClockBehind, ClockJump:
		return []target.Ability{target.Clocks}
	case AddNode, RemoveNode:
		return []target.Ability{target.Members}
	case CutOneWay, CutBothWays, Partition, IsolateLeader, SlowLink, LossyLink, NarrowLink, ResetLink, FlappingLink:
		return []target.Ability{target.Links}
	}
	return nil
}
