package fault

// A shape of partition is a list of links to cut, or to give another rule. Each link is in a list
// once, in an order that depends on the arguments alone. No list has the link of a node to itself.
// A node that is named in two groups of a Partition is cut off from all nodes of both.

// Partition returns all links between nodes of different groups, in both directions.
func Partition(groups ...[]int) []Link {
	var s shape
	for i, group := range groups {
		for _, other := range groups[i+1:] {
			for _, a := range group {
				for _, b := range other {
					s.add(a, b)
					s.add(b, a)
				}
			}
		}
	}
	return s.links
}

// Ring returns all links except those between neighbours, where the first and the last node are
// neighbours too. Of fewer than 4 nodes all are neighbours, and the list is empty.
func Ring(nodes []int) []Link {
	var s shape
	for i, a := range nodes {
		for j, b := range nodes[i+1:] {
			if apart := j + 1; apart > 1 && apart < len(nodes)-1 {
				s.add(a, b)
				s.add(b, a)
			}
		}
	}
	return s.links
}

// Bridge returns all links between left and right, in both directions, so that only the bridge
// reaches both sides. A node of the bridge that is also named on a side belongs to the bridge.
func Bridge(left, right []int, bridge ...int) []Link {
	onBridge := make(map[int]bool, len(bridge))
	for _, node := range bridge {
		onBridge[node] = true
	}
	var s shape
	for _, link := range Partition(left, right) {
		if !onBridge[link.From] && !onBridge[link.To] {
			s.add(link.From, link.To)
		}
	}
	return s.links
}

// OneWay returns all links from the nodes of the first list to those of the second.
func OneWay(from, to []int) []Link {
	var s shape
	for _, a := range from {
		for _, b := range to {
			s.add(a, b)
		}
	}
	return s.links
}

// Around returns all links between the node and the others, in both directions.
func Around(node int, others []int) []Link { return Partition([]int{node}, others) }

// shape is a list of links without duplicates.
type shape struct {
	links []Link
	has   map[Link]bool
}

func (s *shape) add(from, to int) {
	link := Link{from, to}
	if from == to || s.has[link] {
		return
	}
	if s.has == nil {
		s.has = make(map[Link]bool)
	}
	s.has[link] = true
	s.links = append(s.links, link)
}
