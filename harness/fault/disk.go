package fault

import (
	"fmt"
	"strings"
	"time"
)

// Disk is what is wrong with a disk. The zero Disk is sound.
type Disk struct {
	// Full fails every operation that needs space with ENOSPC.
	Full bool `json:"full,omitempty"`
	// Failing fails every write and sync with EIO.
	Failing bool `json:"failing,omitempty"`
	// Slow is added to the duration of each sync.
	Slow time.Duration `json:"slow_ns,omitempty"`
	// Lying reports a sync as done although nothing is durable: a crash loses everything that was
	// written since the fault began.
	Lying bool `json:"lying,omitempty"`
	// Torn keeps only the first half of what the next sync should make durable. That sync blocks until
	// the disk is taken away, as by a crash. The rest is lost.
	Torn bool `json:"torn,omitempty"`
}

// String describes the faults in words; "sound" for the zero Disk.
func (d Disk) String() string {
	var words []string
	for _, fault := range []struct {
		is   bool
		word string
	}{
		{d.Full, "full"}, {d.Failing, "failing"}, {d.Slow != 0, fmt.Sprintf("%v slower", d.Slow)},
		{d.Lying, "lying"}, {d.Torn, "about to tear a write"},
	} {
		if fault.is {
			words = append(words, fault.word)
		}
	}
	if len(words) == 0 {
		return "sound"
	}
	return strings.Join(words, ", ")
}
