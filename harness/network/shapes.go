package network

// Way is a direction from one host to another. A host is whatever the caller names it by.
type Way[H comparable] struct{ From, To H }

// The shapes are lists of ways to cut, or to rule in another way. Each way is in a list once, in an
// order that follows from the arguments alone. No list has the way from a host to itself: a host
// that is named in two places has no way cut to itself, but it has those that either place asks
// for. In a Partition that means it is cut off from everybody else in both of its groups, which is
// hardly what its caller wanted.

// Partition is all ways between hosts of different groups, in both directions.
func Partition[H comparable](groups ...[]H) []Way[H] {
	var w ways[H]
	for i, group := range groups {
		for _, other := range groups[i+1:] {
			for _, a := range group {
				for _, b := range other {
					w.add(a, b)
					w.add(b, a)
				}
			}
		}
	}
	return w.list
}

// Ring is all ways but those between neighbours, the last host and the first being neighbours too.
// Of fewer than 4 hosts all are neighbours, and there is nothing to cut.
func Ring[H comparable](hosts []H) []Way[H] {
	var w ways[H]
	for i, a := range hosts {
		for j, b := range hosts[i+1:] {
			if apart := j + 1; apart > 1 && apart < len(hosts)-1 {
				w.add(a, b)
				w.add(b, a)
			}
		}
	}
	return w.list
}

// Bridge is all ways between left and right, in both directions: only the bridge reaches both. A
// host of the bridge that is on a side too is of the bridge.
func Bridge[H comparable](left, right []H, bridge ...H) []Way[H] {
	whole := make(map[H]bool, len(bridge))
	for _, h := range bridge {
		whole[h] = true
	}
	var w ways[H]
	for _, way := range Partition(left, right) {
		if !whole[way.From] && !whole[way.To] {
			w.add(way.From, way.To)
		}
	}
	return w.list
}

// OneWay is all ways from the hosts of the first list to those of the second.
func OneWay[H comparable](from, to []H) []Way[H] {
	var w ways[H]
	for _, a := range from {
		for _, b := range to {
			w.add(a, b)
		}
	}
	return w.list
}

// Around is all ways between the host and the others, in both directions.
func Around[H comparable](host H, others []H) []Way[H] {
	return Partition([]H{host}, others)
}

// ways is a list without repetition.
type ways[H comparable] struct {
	list []Way[H]
	has  map[Way[H]]bool
}

func (w *ways[H]) add(from, to H) {
	way := Way[H]{from, to}
	if from == to || w.has[way] {
		return
	}
	if w.has == nil {
		w.has = make(map[Way[H]]bool)
	}
	w.has[way] = true
	w.list = append(w.list, way)
}
