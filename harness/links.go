package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// SetLink sets the rule of the link from one node to another, or from or to fault.Clients. The
// opposite link keeps its rule. The rule is in effect when SetLink returns. Isolation by
// TakeNodeOffline stays in effect, whatever the rule.
func (c *Cluster) SetLink(ctx context.Context, from, to int, rule fault.Rule) error {
	text := fmt.Sprintf("link %s: %s", fault.Link{From: from, To: to}, rule)
	return c.setLinks(ctx, text, fault.Fault{Kind: fault.KindLink}, []fault.Link{{From: from, To: to}},
		func(fault.Rule) fault.Rule { return rule })
}

// Cut stops all traffic over the links; the action says how. The rest of their rules applies
// again once they are mended. It tries all links, and joins the errors.
func (c *Cluster) Cut(ctx context.Context, action fault.Action, links ...fault.Link) error {
	return c.cut(ctx, fmt.Sprintf("cut (%v) %s", action, fault.LinkWords(links)), fault.Fault{Kind: fault.KindCut}, action, links)
}

// Mend undoes Cut: traffic passes again, each link by the rest of its rule.
func (c *Cluster) Mend(ctx context.Context, links ...fault.Link) error {
	return c.cut(ctx, "mend "+fault.LinkWords(links), fault.Fault{Kind: fault.KindCut}, fault.Pass, links)
}

func (c *Cluster) cut(ctx context.Context, text string, f fault.Fault, action fault.Action, links []fault.Link) error {
	return c.setLinks(ctx, text, f, links, withAction(action))
}

func withAction(action fault.Action) func(fault.Rule) fault.Rule {
	return func(rule fault.Rule) fault.Rule {
		rule.Action = action
		return rule
	}
}

// MendLinks removes the rules of all links, and disarms resets. Isolation by TakeNodeOffline
// stays in effect. Links that flap go on flapping; Heal stops that.
func (c *Cluster) MendLinks(ctx context.Context) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	var links []fault.Link
	faults := c.Faults()
	for link := range faults.Links {
		links = append(links, link)
	}
	for link := range faults.Resets {
		if _, ruled := faults.Links[link]; !ruled {
			links = append(links, link)
		}
	}
	if len(links) == 0 {
		return nil
	}
	slices.SortFunc(links, fault.Link.Compare)
	return c.setLinks(ctx, "mend all links", fault.Fault{Kind: fault.KindCut}, links, func(fault.Rule) fault.Rule { return fault.Rule{} })
}

// ResetLink truncates the next message that is sent over the link, and resets its connection
// there. It stays armed until there is a message; SetLink, Cut, Mend, MendLinks and Heal disarm it.
func (c *Cluster) ResetLink(ctx context.Context, from, to int) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	link := fault.Link{From: from, To: to}
	linker, err := c.linker(link)
	if err == nil {
		event := c.recordFault(journal.Begins, fault.Fault{Kind: fault.KindReset, Node: fault.NoNode, Links: []fault.Link{link}}, "")
		if err = linker.ResetLink(ctx, from, to); err == nil {
			c.mu.Lock()
			c.faults.Resets[link] = true
			c.mu.Unlock()
		}
		event.endOf(err, ofLink(aboutReset, link))
	}
	if err != nil {
		return fmt.Errorf("reset %s: %w", link, err)
	}
	return nil
}

// LinkStats returns the counters of the link: what it carried, and what faults did to that. They
// show whether a fault of the link had an effect.
func (c *Cluster) LinkStats(ctx context.Context, from, to int) (_ fault.LinkStats, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return fault.LinkStats{}, err
	}
	defer leave(&err)
	link := fault.Link{From: from, To: to}
	linker, err := c.linker(link)
	if err != nil {
		return fault.LinkStats{}, fmt.Errorf("count on %s: %w", link, err)
	}
	stats, err := linker.LinkStats(ctx, from, to)
	if err != nil {
		return stats, fmt.Errorf("count on %s: %w", link, err)
	}
	return stats, nil
}

// setLinks changes the rules of links, as one fault. The text names it in errors.
func (c *Cluster) setLinks(ctx context.Context, text string, f fault.Fault, links []fault.Link,
	change func(fault.Rule) fault.Rule) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	defer leave(&err)
	linker, err := c.linker(links...)
	switch {
	case err != nil:
	case len(links) == 0:
		err = errors.New("no links given")
	default:
		err = change(fault.Rule{}).Validate()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	rule := change(fault.Rule{})
	f.Links, f.Rule = links, &rule
	if f.Kind != fault.KindIsolateLeader {
		f.Node = fault.NoNode
	}
	event := c.recordFault(phaseOf(rule != fault.Rule{}), f, "")
	changes, err := c.changeLinks(ctx, linker, links, change)
	if err != nil {
		err = fmt.Errorf("%s: %w", text, err)
	}
	event.endOfLinks(err, changes)
	return err
}

// changeLinks tries all links, and notes the rules of those that took effect.
// It skips the links of a node that was removed meanwhile.
func (c *Cluster) changeLinks(
	ctx context.Context, linker target.LinkFaulter, links []fault.Link, change func(fault.Rule) fault.Rule,
) (done []linkChange, _ error) {
	if err := c.setting.Lock(ctx); err != nil {
		return nil, err
	}
	defer c.setting.Unlock()
	var errs []error
	for _, link := range links {
		if _, err := c.linker(link); err != nil {
			continue
		}
		before := c.rule(link)
		rule := change(before)
		if err := linker.SetLink(ctx, link.From, link.To, rule); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", link, err))
			continue
		}
		c.mu.Lock()
		setOrDelete(c.faults.Links, link, rule)
		delete(c.faults.Resets, link)
		c.mu.Unlock()
		done = append(done, linkChange{link, before, rule})
	}
	return done, join(errs...)
}

func (c *Cluster) rule(link fault.Link) fault.Rule {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faults.Links[link]
}

// linker returns the target's links, if it has those links.
func (c *Cluster) linker(links ...fault.Link) (target.LinkFaulter, error) {
	linker, can := target.As[target.LinkFaulter](c.cluster)
	if !can {
		return nil, &UnsupportedError{target.Links}
	}
	for _, link := range links {
		if link.From == link.To {
			return nil, fmt.Errorf("there is no link from node %d to itself", link.From)
		}
		for _, end := range []int{link.From, link.To} {
			if end == fault.Clients {
				continue
			}
			if _, err := c.nodeAt(end); err != nil {
				return nil, err
			}
		}
	}
	return linker, nil
}
