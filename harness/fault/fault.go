package fault

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

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

// Equal tells whether both values are the same fault.
func (f Fault) Equal(g Fault) bool { return reflect.DeepEqual(f, g) }

// String describes the fault in words: its kind, and in parentheses where and how much, such as
// "slow disk (node 1, by 5ms)".
func (f Fault) String() string {
	var details []string
	if f.Node != NoNode && len(f.Links) == 0 && len(f.Groups) == 0 {
		details = append(details, fmt.Sprintf("node %d", f.Node))
	}
	if len(f.Links) > 0 && len(f.Groups) == 0 { // the links follow from the groups
		details = append(details, LinkWords(f.Links))
	}
	if len(f.Groups) > 0 {
		details = append(details, groupWords(f.Groups))
	}
	if f.Rule != nil {
		details = append(details, f.Rule.String())
	}
	if f.Disk != nil {
		details = append(details, f.Disk.String())
	}
	if f.Part != "" {
		details = append(details, string(f.Part))
	}
	if f.By != 0 {
		details = append(details, fmt.Sprintf("by %v", f.By))
	}
	if len(details) == 0 {
		return string(f.Kind)
	}
	return fmt.Sprintf("%s (%s)", f.Kind, strings.Join(details, ", "))
}

// groupWords describes groups of nodes, such as "0 | 1 2".
func groupWords(groups [][]int) string {
	words := make([]string, len(groups))
	for i, group := range groups {
		words[i] = strings.Trim(fmt.Sprint(group), "[]")
	}
	return strings.Join(words, " | ")
}
