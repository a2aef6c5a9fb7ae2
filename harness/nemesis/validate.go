package nemesis

import (
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Validate returns why the fault, of this kind, is invalid in a cluster of that many nodes, or nil.
func (k Kind) Validate(f fault.Fault, nodes int) error {
	switch {
	case f.By < 0:
		return fmt.Errorf("by %v must not be negative", f.By)
	case nodes < k.MinNodes:
		return fmt.Errorf("it needs at least %d nodes, not %d", k.MinNodes, nodes)
	case k.namesNode() && (f.Node < 0 || f.Node >= nodes):
		return fmt.Errorf("there is no node %d", f.Node)
	case k.Unit == nil && f.By != 0:
		return errors.New("it takes no By")
	case !k.namesLinks() && len(f.Links) > 0:
		return errors.New("it takes no links")
	case k.On != Network && len(f.Groups) > 0:
		return errors.New("it takes no groups")
	case k.Rule == nil && f.Rule != nil:
		return errors.New("it takes no rule")
	case f.Disk != nil || f.Part != "":
		return errors.New("it takes no disk faults and no part of a disk")
	}
	if k.namesLinks() {
		if err := k.validateLinks(f.Links, nodes); err != nil {
			return err
		}
	}
	if k.On == Network {
		if err := validateGroups(f.Groups, nodes); err != nil {
			return err
		}
	}
	if f.Rule != nil {
		if err := f.Rule.Validate(); err != nil {
			return err
		}
	}
	if k.Check != nil {
		return k.Check(f)
	}
	return nil
}

func (k Kind) validateLinks(links []fault.Link, nodes int) error {
	for _, link := range links {
		for _, end := range []int{link.From, link.To} {
			if end != fault.Clients && (end < 0 || end >= nodes) || link.From == link.To {
				return fmt.Errorf("there is no link %s", link)
			}
		}
	}
	switch {
	case k.On == Link && len(links) != 1:
		return fmt.Errorf("it takes 1 link, not %d", len(links))
	case k.On == Links && (len(links) != 2 || links[1] != links[0].Back()):
		return fmt.Errorf("it takes a link and the link back, not %d links: %s", len(links), fault.LinkWords(links))
	}
	return nil
}

func validateGroups(groups [][]int, nodes int) error {
	if len(groups) < 2 {
		return fmt.Errorf("it takes at least 2 groups, not %d", len(groups))
	}
	in := make(map[int]bool)
	for _, group := range groups {
		if len(group) == 0 {
			return errors.New("a group has no nodes")
		}
		for _, node := range group {
			switch {
			case node < 0 || node >= nodes:
				return fmt.Errorf("there is no node %d", node)
			case in[node]:
				return fmt.Errorf("node %d is in two groups", node)
			}
			in[node] = true
		}
	}
	return nil
}
