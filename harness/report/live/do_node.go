package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// Disk is what is wrong with a disk, as fault.Disk, with a duration for people.
type Disk struct {
	Full    bool   `json:"full,omitempty"`
	Failing bool   `json:"failing,omitempty"`
	Slow    string `json:"slow,omitempty"`
	Lying   bool   `json:"lying,omitempty"`
	Torn    bool   `json:"torn,omitempty"`
}

var nodeVerbs = []verb{
	{"take offline", ofNode, func(a Action) string { return fmt.Sprintf("%s node %d", a.Mode, a.Node) }, takeOffline},
	{"bring online", ofNode, about("bring node %d online"), bringOnline},
	{"disk", ofNode, about("set the disk of node %d"), setDisk},
	{"damage", ofNode, about("damage the disk of node %d"), damage},
	{"clock", ofNode, about("set the clock of node %d"), setClock},
	{"diverge", ofNode, about("change the data of node %d alone"), diverge},
	{"remove node", ofNode, about("remove node %d"), removeNode},
	{"replace node", ofNode, about("replace node %d"), replaceNode},
}

// about are words about a node.
func about(format string) func(Action) string {
	return func(a Action) string { return fmt.Sprintf(format, a.Node) }
}

func takeOffline(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	mode := fault.Mode(a.Mode)
	if !slices.Contains(fault.Modes(), mode) {
		return "", bad("there is no failure mode %q: the modes are %q", a.Mode, fault.Modes())
	}
	return fmt.Sprintf("Node %d is offline: %s", a.Node, mode.Past()), c.TakeNodeOffline(ctx, a.Node, mode)
}

func bringOnline(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	var options []harness.ReturnOption
	said := "Node %d is back, and catches up"
	if a.Wiped {
		options, said = append(options, harness.Wiped), "Node %d is back with an empty disk, and has caught up"
	}
	return fmt.Sprintf(said, a.Node), c.BringNodeOnline(ctx, a.Node, options...)
}

func setDisk(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	var faults fault.Disk
	if d := a.Disk; d != nil {
		slow, err := duration("slow", d.Slow)
		if err != nil {
			return "", err
		}
		if slow < 0 {
			return "", bad("slow: %v is negative", slow)
		}
		faults = fault.Disk{Full: d.Full, Failing: d.Failing, Slow: slow, Lying: d.Lying, Torn: d.Torn}
	}
	return fmt.Sprintf("The disk of node %d is %s", a.Node, faults), c.SetDisk(ctx, a.Node, faults)
}

func damage(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	part := fault.Part(a.Part)
	if err := part.Validate(); err != nil {
		return "", badRequest{err}
	}
	file, err := c.Damage(ctx, a.Node, part)
	return fmt.Sprintf("On node %d the file %s is damaged", a.Node, file), err
}

func setClock(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	ahead, err := duration("ahead", a.Ahead)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("The clock of node %d is %s", a.Node, fault.Skew(ahead)), c.SetClock(ctx, a.Node, ahead)
}

func diverge(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	n, err := c.Node(a.Node)
	if err != nil {
		return "", err
	}
	if a.SQL == "" {
		return "", bad("there is no statement to run")
	}
	return fmt.Sprintf("Node %d alone has run the statement", a.Node), n.Diverge(ctx, a.SQL)
}

func removeNode(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	return fmt.Sprintf("Node %d is removed", a.Node), c.RemoveNode(ctx, a.Node)
}

func replaceNode(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	added, err := c.ReplaceNode(ctx, a.Node)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Node %d has taken the place of node %d", added.Index(), a.Node), nil
}

// duration reads a duration; "" is 0.
func duration(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, bad("%s: %q is no duration, such as 50ms or 1h", name, text)
	}
	return d, nil
}
