package defects

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

func values() []Defect {
	const kind = "values"
	return []Defect{
		inParams("large-integers-are-rounded", kind,
			"an integer above 2^53 is rounded like a float", "suite:values",
			func(value any) any {
				if n, is := value.(int64); is && (n > 1<<53 || n < -1<<53) {
					if f := float64(n); f < math.MaxInt64 {
						return int64(f)
					}
				}
				return value
			}),
		inParams("null-becomes-empty", kind,
			"a NULL parameter is stored as an empty text", "suite:values",
			func(value any) any {
				if value == nil {
					return ""
				}
				return value
			}),
		inParams("blob-is-cut-at-zero", kind,
			"a blob is cut at its first zero byte", "suite:values",
			func(value any) any {
				if blob, is := value.([]byte); is {
					head, _, _ := bytes.Cut(blob, []byte{0})
					return head
				}
				return value
			}),
		inParams("whole-floats-become-integers", kind,
			"a float without a fraction is stored as an integer", "suite:values",
			func(value any) any {
				if f, is := value.(float64); is && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
					return int64(f)
				}
				return value
			}),
		inMachine("random-differs-by-node", kind,
			"random() returns a different number on every node", "suite:values",
			func(inner raft.BatchingFSM, life embedded.Life) raft.BatchingFSM {
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					entry.SQL = random.ReplaceAllString(entry.SQL, fmt.Sprintf("(random() / 2 + %d)", numberOf(life)))
					return entry
				})
			}),
		inMachine("time-differs-by-node", kind,
			"the current time differs on every node", "suite:values",
			func(inner raft.BatchingFSM, life embedded.Life) raft.BatchingFSM {
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					if present.MatchString(entry.SQL) {
						entry.Time += 1000 * numberOf(life)
					}
					return entry
				})
			}),
		inMachine("time-is-that-of-the-execution", kind,
			"every node gives changes the second in which it executes them, and not the one in which they were sent", "suite:away",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					entry.Time = time.Now().Truncate(time.Second).UnixMilli()
					return entry
				})
			}),
	}
}

var (
	random  = regexp.MustCompile(`(?i)\brandom\(\)`)
	present = regexp.MustCompile(`(?i)'now'|CURRENT_(TIME|DATE)`)
)

// numberOf returns the number in the node's name.
func numberOf(life embedded.Life) (n int64) {
	_, _ = fmt.Sscanf(life.ID, "n%d", &n)
	return n
}

func inParams(name, kind, text, about string, change func(any) any) Defect {
	return inMachine(name, kind, text, about, func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
		return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
			entry.Params = slices.Clone(entry.Params)
			for i, value := range entry.Params {
				entry.Params[i] = change(value)
			}
			return entry
		})
	})
}
