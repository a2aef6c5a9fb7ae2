package check

import "slices"

// counters are numbers whose changes do not depend on the state, and so commute.
type counters struct{ *numbers }

// exchanges tells whether the sum of the increments that only b has used equals a sum of increments
// that only a has not used.
func (n counters) exchanges(_ *search, a, b *config) bool {
	var spare, missing []int64 // increments that only a has left, and that only b has left
	left := make(map[int]int)
	for _, u := range b.used {
		left[int(u.class)] += int(u.n)
	}
	for _, u := range a.used {
		left[int(u.class)] -= int(u.n)
	}
	for class, more := range left {
		steps := n.classes[class]
		if len(steps) != 1 {
			if more != 0 {
				return false
			}
			continue
		}
		for range max(more, -more) {
			if more > 0 {
				spare = append(spare, steps[0].value)
			} else {
				missing = append(missing, steps[0].value)
			}
		}
	}
	slices.Sort(missing)
	slices.Reverse(missing)
	slices.Sort(spare)
	slices.Reverse(spare)
	for _, m := range missing {
		var can bool
		if spare, can = without(spare, m); !can {
			return false
		}
	}
	return true
}

// without removes numbers that add up to sum, greedily. The numbers are in descending order.
func without(numbers []int64, sum int64) ([]int64, bool) {
	var rest []int64
	for _, n := range numbers {
		if n <= sum {
			sum -= n
		} else {
			rest = append(rest, n)
		}
	}
	return rest, sum == 0
}
