package targettest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofLinks are the checks of LinkFaulter.
func ofLinks() []Check {
	needs := []target.Ability{target.Links}
	return []Check{
		{Name: "cuts the way of requests, and not that of answers", Needs: needs, run: cutsRequests},
		{Name: "cuts the way of answers, and not that of requests", Needs: needs, run: cutsAnswers},
		{Name: "cuts the ways to a node, and counts what they deliver", Nodes: 3, Needs: needs, run: cutsNode},
		{Name: "slows a link", Needs: needs, run: slows},
		{Name: "resets a link", Needs: needs, run: resets},
		{Name: "keeps an isolated node cut off under any rule", Nodes: 3, Needs: append(needs, target.Isolate), run: keepsCut},
		{Name: "refuses a rule that is invalid", Needs: needs, run: refusesRule},
	}
}

// ruled sets a rule on links while do runs.
func (s *subject) ruled(ctx context.Context, rule fault.Rule, links []fault.Link, do func(target.LinkFaulter) error) (err error) {
	faulter, _ := target.As[target.LinkFaulter](s.Cluster)
	defer func() {
		for _, link := range links {
			if mended := faulter.SetLink(ctx, link.From, link.To, fault.Rule{}); mended != nil {
				err = errors.Join(err, wrong("LinkFaulter.SetLink", "the link %s cannot be mended: %v", link, mended))
			}
		}
		if err == nil {
			err = s.level(ctx)
		}
	}()
	for _, link := range links {
		if err := faulter.SetLink(ctx, link.From, link.To, rule); err != nil {
			return wrong("LinkFaulter.SetLink", "the rule %q of the link %s was refused: %v", rule, link, err)
		}
	}
	return do(faulter)
}

func cutsRequests(ctx context.Context, s *subject) error {
	if _, err := s.written(ctx, 0); err != nil { // existing connections must be cut too
		return wrong("Node.Client", "%v", err)
	}
	key := s.key()
	link := fault.Link{From: fault.Clients, To: 0}
	return s.ruled(ctx, fault.Rule{Action: fault.Drop}, []fault.Link{link}, func(target.LinkFaulter) error {
		err, late := s.obeys(ctx, func(ctx context.Context) error { return s.put(ctx, s.client(0), key) })
		if late || err == nil {
			return wrong("LinkFaulter.SetLink", "the link %s drops everything, and a write over it %s", link, succeededOr(late))
		}
		return s.never(ctx, func(ctx context.Context) error {
			if is, err := s.has(ctx, s.inside(0), target.Leader, key); err == nil && is {
				return wrong("LinkFaulter.SetLink", "the link %s drops everything, and a write over it has arrived: "+
					"the other direction was cut, or only the answer", link)
			}
			return nil
		})
	})
}

func cutsAnswers(ctx context.Context, s *subject) error {
	if _, err := s.written(ctx, 0); err != nil {
		return wrong("Node.Client", "%v", err)
	}
	link := fault.Link{From: 0, To: fault.Clients}
	return s.ruled(ctx, fault.Rule{Action: fault.Drop}, []fault.Link{link}, func(faulter target.LinkFaulter) error {
		before, err := faulter.LinkStats(ctx, link.To, link.From)
		if err != nil {
			return wrong("LinkFaulter.LinkStats", "the link %s cannot be counted: %v", fault.Link{From: link.To, To: link.From}, err)
		}
		var keys []int64
		return s.await(ctx, func(ctx context.Context) error {
			keys = append(keys, s.key())
			key := keys[len(keys)-1]
			err, late := s.obeys(ctx, func(ctx context.Context) error { return s.put(ctx, s.client(0), key) })
			if late || err == nil {
				return wrong("LinkFaulter.SetLink", "the link %s drops everything, and a write whose answer it carries %s", link, succeededOr(late))
			}
			for _, key := range keys {
				if is, err := s.has(ctx, s.inside(0), target.Leader, key); err == nil && is {
					return nil
				}
			}
			// A client that begins a transaction, and waits for the answer, sends no write.
			if now, err := faulter.LinkStats(ctx, link.To, link.From); err == nil && now.Messages > before.Messages {
				return nil
			}
			return wrong("LinkFaulter.SetLink", "only the link %s drops everything, and a write does not arrive: "+
				"the other direction was cut, or both", link)
		})
	})
}

func cutsNode(ctx context.Context, s *subject) error {
	follower := s.ends(ctx)[0]
	var to []fault.Link
	for _, i := range s.others(follower) {
		to = append(to, fault.Link{From: i, To: follower})
	}
	faulter, _ := target.As[target.LinkFaulter](s.Cluster)
	delivered := func(ctx context.Context) (sum uint64, err error) {
		for _, link := range to {
			stats, err := faulter.LinkStats(ctx, link.From, link.To)
			if err != nil {
				return 0, wrong("LinkFaulter.LinkStats", "the link %s cannot be counted: %v", link, err)
			}
			sum += stats.Messages
		}
		return sum, nil
	}
	before, err := delivered(ctx)
	if err != nil {
		return err
	}
	err = s.await(ctx, func(ctx context.Context) error {
		if err := s.level(ctx); err != nil {
			return err
		}
		now, err := delivered(ctx)
		if err == nil && now <= before {
			err = fmt.Errorf("%d messages before a write and %d after it", before, now)
		}
		return err
	})
	if err != nil {
		return wrong("LinkFaulter.LinkStats", "the links to node %s, which applies writes, do not count: %v", s.id(follower), err)
	}
	return s.ruled(ctx, fault.Rule{Action: fault.Drop}, to, func(target.LinkFaulter) error {
		cut, err := delivered(ctx)
		if err != nil {
			return err
		}
		if err := s.hears(ctx, follower); err != nil {
			return wrong("LinkFaulter.SetLink", "all links to node %s drop everything: %v", s.id(follower), err)
		}
		now, err := delivered(ctx)
		if err != nil {
			return err
		}
		if now > cut {
			return wrong("LinkFaulter.LinkStats", "the links to node %s drop everything, and have delivered %d messages", s.id(follower), now-cut)
		}
		return nil
	})
}

func slows(ctx context.Context, s *subject) error {
	if _, err := s.written(ctx, 0); err != nil {
		return wrong("Node.Client", "%v", err)
	}
	latency := s.o.Silence / 2
	for _, link := range []fault.Link{{From: fault.Clients, To: 0}, {From: 0, To: fault.Clients}} {
		err := s.ruled(ctx, fault.Rule{Latency: latency}, []fault.Link{link}, func(target.LinkFaulter) error {
			begun := time.Now()
			if _, err := s.has(ctx, s.client(0), target.Default, 1); err != nil {
				return wrong("LinkFaulter.SetLink", "the link %s takes %v, and a read over it failed: %v", link, latency, err)
			}
			if took := time.Since(begun); took < latency {
				return wrong("LinkFaulter.SetLink", "the link %s takes %v, and a read over it took %v", link, latency, took)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func resets(ctx context.Context, s *subject) error {
	faulter, _ := target.As[target.LinkFaulter](s.Cluster)
	if _, err := s.written(ctx, 0); err != nil {
		return wrong("Node.Client", "%v", err)
	}
	before, err := faulter.LinkStats(ctx, fault.Clients, 0)
	if err == nil {
		err = faulter.ResetLink(ctx, fault.Clients, 0)
	}
	if err != nil {
		return wrong("LinkFaulter.ResetLink", "the link from clients to node %s cannot be reset: %v", s.id(0), err)
	}
	keys := make(map[int64]error)
	err = s.await(ctx, func(ctx context.Context) error {
		key := s.key()
		keys[key] = s.put(ctx, s.client(0), key)
		now, err := faulter.LinkStats(ctx, fault.Clients, 0)
		if err == nil && now.Resets <= before.Resets {
			err = errors.New("no connection was reset by requests")
		}
		return err
	})
	if err != nil {
		return wrong("LinkFaulter.ResetLink", "on the link from clients to node %s: %v", s.id(0), err)
	}
	return s.audit(ctx, keys)
}

func keepsCut(ctx context.Context, s *subject) error {
	faulter, _ := target.As[target.LinkFaulter](s.Cluster)
	i := s.ends(ctx)[0]
	return s.isolated(ctx, i, func() error {
		for _, link := range []fault.Link{{From: fault.Clients, To: i}, {From: i, To: fault.Clients}} {
			if err := faulter.SetLink(ctx, link.From, link.To, fault.Rule{}); err != nil {
				return wrong("LinkFaulter.SetLink", "the link %s of the isolated node cannot be ruled: %v", link, err)
			}
		}
		err, late := s.obeys(ctx, func(ctx context.Context) error {
			_, err := s.has(ctx, s.client(i), target.Local, 1)
			return err
		})
		if late || err == nil {
			return wrong("LinkFaulter.SetLink", "node %s is isolated and its links to clients were set to be sound, and a read %s",
				s.id(i), succeededOr(late))
		}
		return nil
	})
}

func refusesRule(ctx context.Context, s *subject) error {
	faulter, _ := target.As[target.LinkFaulter](s.Cluster)
	for _, rule := range []fault.Rule{{Loss: 2}, {Latency: -1}, {Bandwidth: -1}, {Action: 17}} {
		if err := faulter.SetLink(ctx, fault.Clients, 0, rule); err == nil {
			return errors.Join(wrong("LinkFaulter.SetLink", "the invalid rule %+v was accepted (see fault.Rule.Validate)", rule),
				faulter.SetLink(ctx, fault.Clients, 0, fault.Rule{}))
		}
	}
	return nil
}
