package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Clients stands for the place of the clients where a link's ends are named; all
// other ends are nodes, by their index.
const Clients = target.Clients

// SetLink makes the link from one node to another, or from or to Clients, what the
// rule says; the link the other way stays as it is. It is in effect when SetLink
// returns. What TakeNodeOffline cut stays cut, whatever the rule.
func (c *Cluster) SetLink(ctx context.Context, from, to int, rule network.Rule) error {
	text := fmt.Sprintf("link %s: %s", wayWords(network.Way[int]{From: from, To: to}), ruleWords(rule))
	return c.setLinks(ctx, text, []network.Way[int]{{From: from, To: to}}, func(network.Rule) network.Rule { return rule })
}

// Cut lets nothing pass over the links any more, as the mode says. The rest of
// their rules stays for when they are mended. All are tried; the errors are joined.
func (c *Cluster) Cut(ctx context.Context, mode network.Mode, ways ...network.Way[int]) error {
	return c.cut(ctx, fmt.Sprintf("cut (%v) %s", mode, waysWords(ways)), mode, ways)
}

// Mend undoes Cut: the links pass everything on, each as its rule says.
func (c *Cluster) Mend(ctx context.Context, ways ...network.Way[int]) error {
	return c.cut(ctx, "mend "+waysWords(ways), network.Up, ways)
}

func (c *Cluster) cut(ctx context.Context, text string, mode network.Mode, ways []network.Way[int]) error {
	return c.setLinks(ctx, text, ways, withMode(mode))
}

func withMode(mode network.Mode) func(network.Rule) network.Rule {
	return func(rule network.Rule) network.Rule {
		rule.Mode = mode
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
	var ways []network.Way[int]
	faults := c.Faults()
	for way := range faults.Links {
		ways = append(ways, way)
	}
	for way := range faults.Resets {
		if _, ruled := faults.Links[way]; !ruled {
			ways = append(ways, way)
		}
	}
	if len(ways) == 0 {
		return nil
	}
	sortWays(ways)
	return c.setLinks(ctx, "mend all links", ways, func(network.Rule) network.Rule { return network.Rule{} })
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
	way := network.Way[int]{From: from, To: to}
	linker, err := c.linker(way)
	if err == nil {
		end := c.journal.Begin(journal.Fault, journal.Nobody, "reset %s", wayWords(way))
		if err = linker.ResetLink(ctx, from, to); err == nil {
			c.mu.Lock()
			c.faults.Resets[way] = true
			c.mu.Unlock()
		}
		end(err)
	}
	if err != nil {
		return fmt.Errorf("reset %s: %w", wayWords(way), err)
	}
	return nil
}

// LinkStats counts what the link has done, and what was done to what it carried:
// it shows whether a fault of the link bit. It looks past every fault.
func (c *Cluster) LinkStats(ctx context.Context, from, to int) (_ network.Stats, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return network.Stats{}, err
	}
	defer leave(&err)
	way := network.Way[int]{From: from, To: to}
	linker, err := c.linker(way)
	if err != nil {
		return network.Stats{}, fmt.Errorf("count on %s: %w", wayWords(way), err)
	}
	stats, err := linker.LinkStats(ctx, from, to)
	if err != nil {
		return stats, fmt.Errorf("count on %s: %w", wayWords(way), err)
	}
	return stats, nil
}

// setLinks changes the rules of links, as one fault.
func (c *Cluster) setLinks(ctx context.Context, text string, ways []network.Way[int], change func(network.Rule) network.Rule) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	defer leave(&err)
	linker, err := c.linker(ways...)
	switch {
	case err != nil:
	case len(ways) == 0:
		err = errors.New("this is about no link")
	default:
		err = change(network.Rule{}).Validate()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	end := c.journal.Begin(journal.Fault, journal.Nobody, "%s", text)
	if err = c.changeLinks(ctx, linker, ways, change); err != nil {
		err = fmt.Errorf("%s: %w", text, err)
	}
	end(err)
	return err
}

// changeLinks tries all links, and remembers the rules of those that took effect.
// The links of a node that was removed meanwhile are nobody's.
func (c *Cluster) changeLinks(ctx context.Context, linker target.Linker, ways []network.Way[int], change func(network.Rule) network.Rule) error {
	if err := c.setting.Take(ctx); err != nil {
		return err
	}
	defer c.setting.Pass()
	var errs []error
	for _, way := range ways {
		if _, err := c.linker(way); err != nil {
			continue
		}
		rule := change(c.rule(way))
		if err := linker.SetLink(ctx, way.From, way.To, rule); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", wayWords(way), err))
			continue
		}
		c.mu.Lock()
		keep(c.faults.Links, way, rule)
		delete(c.faults.Resets, way)
		c.mu.Unlock()
	}
	return errors.Join(errs...)
}

func (c *Cluster) rule(way network.Way[int]) network.Rule {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faults.Links[way]
}

// linker is who sets links, if there are such links.
func (c *Cluster) linker(ways ...network.Way[int]) (target.Linker, error) {
	linker, can := target.As[target.Linker](c.cluster)
	if !can {
		return nil, &UnsupportedError{target.Links}
	}
	for _, way := range ways {
		if way.From == way.To {
			return nil, fmt.Errorf("there is no link from node %d to itself", way.From)
		}
		for _, end := range []int{way.From, way.To} {
			if end == Clients {
				continue
			}
			if _, err := c.nodeAt(end); err != nil {
				return nil, err
			}
		}
	}
	return linker, nil
}

func ruleWords(r network.Rule) string {
	var words []string
	if r.Mode != network.Up {
		words = append(words, r.Mode.String())
	}
	if r.Latency > 0 || r.Jitter > 0 {
		words = append(words, fmt.Sprintf("latency %v, jitter %v", r.Latency, r.Jitter))
	}
	if r.Loss > 0 {
		words = append(words, fmt.Sprintf("loss %g%%", r.Loss*100))
	}
	if r.Bandwidth > 0 {
		words = append(words, fmt.Sprintf("%d bytes a second", r.Bandwidth))
	}
	if len(words) == 0 {
		return "sound"
	}
	return strings.Join(words, ", ")
}

func wayWords(w network.Way[int]) string { return endWords(w.From) + "->" + endWords(w.To) }

func endWords(end int) string {
	if end == Clients {
		return "clients"
	}
	return itoa(end)
}

func waysWords(ways []network.Way[int]) string {
	const most = 12
	var words []string
	for _, w := range ways[:min(len(ways), most)] {
		words = append(words, wayWords(w))
	}
	if len(ways) > most {
		words = append(words, fmt.Sprintf("and %d more", len(ways)-most))
	}
	return strings.Join(words, " ")
}
