package settings

import "strings"

// suggest returns the end of a sentence about an unknown name: the most similar known name, or "" if none is
// similar.
func suggest(name string, known []string) string {
	// A name this long is no typo, and the comparison takes time proportional to its length.
	if len(name) > 60 {
		return ""
	}
	best, distance := "", max(2, len(name)/3)+1
	for _, candidate := range known {
		if d := edits(plain(name), plain(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + quote(best) + "?"
}

// plain removes differences in case and separators: write_timeout, WriteTimeout.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// edits counts the insertions, deletions, substitutions and swaps of neighbours that turn a into b.
func edits(a, b string) int {
	var beforeLast []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], beforeLast[j-1]+1)
			}
		}
		beforeLast, last = last, row
	}
	return last[len(b)]
}
