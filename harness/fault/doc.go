// Package fault has the words for what goes wrong around a node. It is data: it makes no fault.
//
//	Fault, Kind          a fault as a value, and the name of its kind
//	Mode                 how a node is lost: isolate, stop, crash, pause
//	Link, Rule, Action   a directed link, and how it treats messages
//	Partition, Ring, …   the links that a shape of network partition cuts
//	LinkStats            what a link has carried and lost
//	Disk, Part           what is wrong with a disk, and the parts of it that can be damaged
//	Skew                 how far a clock is from the true time
//
// Package target makes these faults, package harness remembers those in force, package journal
// records them, package nemesis injects them, and package chaos draws schedules of them.
package fault
