package fault

// The kinds of faults that package harness makes at nodes and links, and records in the journal. Package nemesis
// has all kinds that schedules are drawn from; some of them consist of several of these.
const (
	KindIsolate = Kind(Isolate) // Node is cut off
	KindStop    = Kind(Stop)    // Node is stopped
	KindCrash   = Kind(Crash)   // Node has crashed
	KindPause   = Kind(Pause)   // Node is frozen
	KindWipe    = Kind("wipe")  // Node gets an empty disk

	KindCut           = Kind("cut")                // Links deliver nothing, as Rule.Action says
	KindPartition     = Kind("partition")          // Groups cannot reach each other
	KindRing          = Kind("ring")               // each node of Groups[0] reaches its neighbors only
	KindBridge        = Kind("bridge")             // Groups[0] and Groups[2] reach only Groups[1]
	KindIsolateLeader = Kind("isolate the leader") // Node, the leader, reaches clients but no other node
	KindLink          = Kind("link")               // Links follow Rule
	KindReset         = Kind("reset link")         // the next message of Links is cut in half, and its connection reset
	KindFlap          = Kind("flapping link")      // Links are cut for half of each period of By

	KindDisk    = Kind("disk")    // the disk of Node is as Disk says
	KindDamage  = Kind("damage")  // Part of the disk of Node is damaged
	KindClock   = Kind("clock")   // the clock of Node is ahead by By
	KindMove    = Kind("move")    // Node gets another address
	KindDiverge = Kind("diverge") // Node ran a statement that no other node has
)
