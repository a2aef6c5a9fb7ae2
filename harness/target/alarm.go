package target

import (
	"slices"
	"strings"
)

// Alarms are words in the log output of a node that tell of a bug. Case matters. The zero value has none.
type Alarms struct {
	// Words are never expected: a line that contains one of them is an alarm.
	Words []string
	// Storage are words that a node may end with when its storage fails. A line that contains one of them is an alarm where no
	// disk fault was made.
	Storage []string
	// Expected are words of lines that are no alarm in spite of the others.
	Expected []string
}

// Alarmer is a LogReader that knows which lines of its nodes tell of a bug. A LogReader that is none has the
// DefaultAlarms.
type Alarmer interface {
	// Alarms returns always the same words, and does not block.
	Alarms() Alarms
}

// DefaultAlarms are the words of Go's runtime: an uncaught panic, a fatal error such as a concurrent write to a map or memory
// that is used up, and a data race that its detector has found.
func DefaultAlarms() Alarms {
	return Alarms{Words: []string{"panic:", "fatal error:", "WARNING: DATA RACE"}}
}

// AlarmsOf returns the alarms of the cluster, or of the one that it decorates.
func AlarmsOf(c Cluster) Alarms {
	if a, is := As[Alarmer](c); is {
		return a.Alarms()
	}
	return DefaultAlarms()
}

// WithExpected returns the alarms without lines that contain one of these words.
func (a Alarms) WithExpected(words ...string) Alarms {
	a.Expected = slices.Concat(a.Expected, words)
	return a
}

// WithDiskFaults returns the alarms where a disk fault was made: without those of Storage.
func (a Alarms) WithDiskFaults() Alarms { return a.WithExpected(a.Storage...) }

// In returns the lines of a log that are alarms, without white space around them. It takes one pass over the log for each
// word, and no memory where there is no alarm.
func (a Alarms) In(log string) (lines []string) {
	words := slices.Concat(a.Words, a.Storage)
	contains := func(text string, words []string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return word != "" && strings.Contains(text, word) })
	}
	if !contains(log, words) {
		return nil
	}
	for line := range strings.Lines(log) {
		if contains(line, words) && !contains(line, a.Expected) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
