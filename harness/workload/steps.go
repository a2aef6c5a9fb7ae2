package workload

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// named returns the keys of that kind, by number.
func named(kind string) func(int64) string {
	return func(n int64) string { return fmt.Sprintf("%s/%d", kind, n) }
}

func read(key string) journal.Step { return journal.Step{Do: journal.Read, Key: key} }

// got returns a read that got the values; nil is none.
func got(key string, values []int64) journal.Step {
	if values == nil {
		values = []int64{}
	}
	return journal.Step{Do: journal.Read, Key: key, Got: values}
}

func sorted[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }
