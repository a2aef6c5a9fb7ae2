package fault

import "time"

// Kind names a kind of fault, such as "crash" or "slow link". Every failure mode is a kind.
type Kind string

// Fault is one fault as a value: what goes wrong, where, and how much. Which fields have a meaning
// depends on the kind.
type Fault struct {
	Kind Kind `json:"kind"`
	// Node is the index of the node that the fault is about, or NoNode.
	Node int `json:"node"`
	// Links are those that the fault is about.
	Links []Link `json:"links,omitempty"`
	// Groups are the groups of nodes that a partition, a ring or a bridge makes.
	Groups [][]int `json:"groups,omitempty"`
	// Rule is what the links follow while the fault is in force.
	Rule *Rule `json:"rule,omitempty"`
	// Disk is what is wrong with the node's disk.
	Disk *Disk `json:"disk,omitempty"`
	// Part is the part of the node's disk that is damaged.
	Part Part `json:"part,omitempty"`
	// By is how much: how far a clock is ahead, how often a link flaps, how much later a sync ends.
	By time.Duration `json:"by_ns,omitempty"`
}

// NoNode is the Node of a fault that is about no single node.
const NoNode = -1
