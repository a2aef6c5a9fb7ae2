package chaos

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// supported is what a target supports.
type supported struct {
	Kinds     []fault.Kind `json:"kinds"`
	Workloads []string     `json:"workloads"`
	Nodes     int          `json:"nodes,omitempty"` // if all of its clusters have one size
}

// space returns the space of the hunt, with what the target supports of it.
func (h Hunt) space(ctx context.Context, w player) (Space, error) {
	from := h.Space
	if reflect.ValueOf(from).IsZero() {
		from = Real()
		if h.In != nil {
			from = Virtual()
		}
		from.Kinds, from.Workloads = nil, nil
	}
	can, err := w.supported(ctx)
	if err != nil {
		return from, fmt.Errorf("ask the target for its abilities: %w", err)
	}
	if len(from.Kinds) == 0 {
		from.Kinds = nemesis.All()
	}
	asked := nemesis.Names(from.Kinds)
	from.Kinds = slices.DeleteFunc(slices.Clone(from.Kinds), func(k nemesis.Kind) bool { return !slices.Contains(can.Kinds, k.Name) })
	if len(from.Kinds) == 0 {
		return from, fmt.Errorf("the target supports none of the kinds of faults %q", asked)
	}
	if len(from.Workloads) == 0 {
		from.Workloads = can.Workloads
	}
	if can.Nodes > 0 {
		from.Nodes = can.Nodes
	}
	return from.filled(), nil
}

// supported boots a cluster of the target where its clusters live, and returns what it supports.
func (h Hunt) supported(ctx context.Context) (can *supported, err error) {
	if h.In == nil {
		return h.probe(ctx)
	}
	if broken := h.In(ctx, h.Seed, func(ctx context.Context) { can, err = h.probe(ctx) }); broken != nil && err == nil {
		err = broken
	}
	return can, err
}

func (h Hunt) probe(ctx context.Context) (_ *supported, err error) {
	s := Schedule{Seed: h.Seed, Nodes: 1, Workloads: []string{"none"}, Clients: 1, Length: time.Second}
	can := &supported{}
	c, err := Boot(ctx, h.Target, s, h.Options)
	if sized := (*target.SizeError)(nil); errors.As(err, &sized) {
		can.Nodes, s.Nodes = sized.Has, sized.Has
		c, err = Boot(ctx, h.Target, s, h.Options)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	can.Kinds = nemesis.Names(nemesis.Possible(c))
	for _, w := range workloads(c) {
		can.Workloads = append(can.Workloads, w.Name())
	}
	return can, nil
}

// workloads returns all workloads that the cluster supports: interactive transactions at its strongest level.
func workloads(c *harness.Cluster) []workload.Workload {
	all := workload.Workloads(namespace)
	if levels := c.Isolations(); len(levels) > 0 {
		all = append(all, workload.Interactive(namespace, levels[len(levels)-1])...)
	}
	return all
}
