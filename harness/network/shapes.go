package network

import "slices"

// Way is a link, in one of its two directions.
type Way[H comparable] struct{ From, To H }

// OneWay is every way from one of the first to one of the second.
func OneWay[H comparable](from, to []H) []Way[H] {
	var ways []Way[H]
	for _, a := range from {
		for _, b := range to {
			ways = append(ways, Way[H]{a, b})
		}
	}
	return ways
}

// Partition is every way from a host of one group to a host of another.
func Partition[H comparable](groups ...[]H) []Way[H] {
	var ways []Way[H]
	for i, from := range groups {
		for j, to := range groups {
			if i != j {
				ways = append(ways, OneWay(from, to)...)
			}
		}
	}
	return ways
}

// Ring is every way but those between neighbours, the last being the first one's.
func Ring[H comparable](hosts []H) []Way[H] {
	var ways []Way[H]
	for i, from := range hosts {
		for j, to := range hosts {
			apart := (i - j + len(hosts)) % len(hosts)
			if apart > 1 && apart < len(hosts)-1 {
				ways = append(ways, Way[H]{from, to})
			}
		}
	}
	return ways
}

// Bridge is every way between left and right but those of the bridge's hosts.
func Bridge[H comparable](left, right []H, bridge ...H) []Way[H] {
	return slices.DeleteFunc(Partition(left, right), func(w Way[H]) bool {
		return slices.Contains(bridge, w.From) || slices.Contains(bridge, w.To)
	})
}

// Around is every way between the host and the others.
func Around[H comparable](host H, others []H) []Way[H] { return Partition([]H{host}, others) }
