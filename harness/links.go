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

// SetLink makes the link from one node to another, or from or to fault.Clients, what the
// rule says; the link the other link stays as it is. It is in effect when SetLink
// returns. What TakeNodeOffline cut stays cut, whatever the rule.
func (c *Cluster) SetLink(ctx context.Context, from, to int, rule fault.Rule) error {
	text := fmt.Sprintf("link %s: %s", fault.Link{From: from, To: to}, rule)
	return c.setLinks(ctx, text, fault.Fault{Kind: fault.KindLink}, []fault.Link{{From: from, To: to}}, func(fault.Rule) fault.Rule { return rule })
}

// Cut lets nothing pass over the links any more, as the action says. The rest of
// their rules stays for when they are mended. All are tried; the errors are joined.
func (c *Cluster) Cut(ctx context.Context, action fault.Action, links ...fault.Link) error {
	return c.cut(ctx, fmt.Sprintf("cut (%v) %s", action, fault.LinkWords(links)), fault.Fault{Kind: fault.KindCut}, action, links)
}

// Mend undoes Cut: the links pass everything on, each as its rule says.
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

// MendLinks makes every link sound: nothing is cut, slow, lossy or armed any more, but
// for what TakeNodeOffline cut. Links that flap go on flapping; Heal ends that.
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

// ResetLink cuts the next message that is sent over the link in half, and resets
// its connection there. Until there is one it is armed; SetLink, Cut, Mend and all
// that mends the link end that.
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

// LinkStats counts what the link has done, and what was done to what it carried:
// it shows whether a fault of the link bit. It looks past every fault.
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
func (c *Cluster) setLinks(ctx context.Context, text string, f fault.Fault, links []fault.Link, change func(fault.Rule) fault.Rule) (err error) {
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

// changeLinks tries all links, and remembers the rules of those that took effect.
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
		keep(c.faults.Links, link, rule)
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

// linker is who sets links, if there are such links.
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
