package live

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// Rule is how a link treats messages, as fault.Rule, with durations for people.
type Rule struct {
	Action    string  `json:"action,omitempty"` // pass, drop or refuse
	Latency   string  `json:"latency,omitempty"`
	Jitter    string  `json:"jitter,omitempty"`
	Loss      float64 `json:"loss,omitempty"`
	Bandwidth int64   `json:"bandwidth,omitempty"` // bytes a second
	Duplicate float64 `json:"duplicate,omitempty"`
	Reorder   float64 `json:"reorder,omitempty"`
}

var linkVerbs = []verb{
	{"link", ofNetwork, func(a Action) string { return "change the link " + fault.LinkWords(a.links()) }, setLink},
	{"reset", ofNetwork, func(a Action) string { return "reset the link " + fault.LinkWords(a.links()) }, resetLink},
	{"flap", ofNetwork, func(a Action) string { return "make the link flap " + fault.LinkWords(a.links()) }, flap},
	{"partition", ofNetwork, func(a Action) string { return groupsOf("partition", a.Groups) }, partition},
	{"bridge", ofNetwork, func(a Action) string { return groupsOf("bridge", a.Groups) }, bridge},
	{"ring", ofNetwork, words("make a ring"), ring},
	{"isolate leader", ofNetwork, words("isolate the leader"), isolateLeader},
	{"mend links", ofNetwork, words("mend all links"), mendLinks},
}

func (a Action) links() []fault.Link {
	link := fault.Link{From: a.From, To: a.To}
	if a.Both {
		return []fault.Link{link, link.Back()}
	}
	return []fault.Link{link}
}

func (r *Rule) rule() (rule fault.Rule, err error) {
	if r == nil {
		return rule, nil
	}
	if r.Action != "" {
		if err := rule.Action.UnmarshalText([]byte(r.Action)); err != nil {
			return rule, badRequest{err}
		}
	}
	if rule.Latency, err = duration("latency", r.Latency); err != nil {
		return rule, err
	}
	if rule.Jitter, err = duration("jitter", r.Jitter); err != nil {
		return rule, err
	}
	rule.Loss, rule.Bandwidth, rule.Duplicate, rule.Reorder = r.Loss, r.Bandwidth, r.Duplicate, r.Reorder
	if err := rule.Validate(); err != nil {
		return rule, badRequest{err}
	}
	return rule, nil
}

func setLink(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	rule, err := a.Rule.rule()
	if err != nil {
		return "", err
	}
	for _, link := range a.links() {
		if err := c.SetLink(ctx, link.From, link.To, rule); err != nil {
			return "", err
		}
	}
	if rule == (fault.Rule{}) {
		return fmt.Sprintf("Sound: %s", fault.LinkWords(a.links())), nil
	}
	return fmt.Sprintf("%s: %s", fault.LinkWords(a.links()), rule), nil
}

func resetLink(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	for _, link := range a.links() {
		if err := c.ResetLink(ctx, link.From, link.To); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("The next message will be cut in half: %s", fault.LinkWords(a.links())), nil
}

func flap(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	period, err := duration("every", a.Every)
	if err != nil {
		return "", err
	}
	_, err = c.Flapping(ctx, period, a.links()...) // until the cluster is healed or closed
	return fmt.Sprintf("Every %v cut and mended, until the cluster is healed: %s", period, fault.LinkWords(a.links())), err
}

func partition(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	if len(a.Groups) < 2 {
		return "", bad("a partition needs two groups of nodes or more")
	}
	return "Cut off from each other: " + groupsOf(fault.KindPartition, a.Groups), c.Partition(ctx, a.Groups...)
}

func bridge(ctx context.Context, c *harness.Cluster, a Action) (done, error) {
	if len(a.Groups) != 3 {
		return "", bad("a bridge needs three groups of nodes: left, bridge and right")
	}
	said := "Only the middle reaches both sides: " + groupsOf(fault.KindBridge, a.Groups)
	return said, c.Bridge(ctx, a.Groups[0], a.Groups[2], a.Groups[1]...)
}

func groupsOf(kind fault.Kind, groups [][]int) string {
	return fault.Fault{Kind: kind, Node: fault.NoNode, Groups: groups}.String()
}

func ring(ctx context.Context, c *harness.Cluster, _ Action) (done, error) {
	return "Each node reaches its two neighbours only", c.Ring(ctx)
}

func isolateLeader(ctx context.Context, c *harness.Cluster, _ Action) (done, error) {
	leader, err := c.IsolateLeader(ctx)
	return fmt.Sprintf("Node %d, which led, reaches clients and no other node", leader), err
}

func mendLinks(ctx context.Context, c *harness.Cluster, _ Action) (done, error) {
	return "All links are sound", c.MendLinks(ctx)
}
