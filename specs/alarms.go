package specs

import (
	"errors"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness"
)

// ExpectAlarms declares that the nodes of the current spec may say lines with one of these words. Without it, a line in the
// log of a node that tells of a bug, such as a panic, fails the spec at its end: see target.Alarms. Call it in a set-up node
// or in the spec. What a target itself says when a disk fails is expected wherever a spec makes a disk fail.
func ExpectAlarms(words ...string) {
	for _, word := range words {
		AddReportEntry(expectedAlarm, word, ReportEntryVisibilityNever)
	}
}

// expectedAlarm is the name of the report's hidden entry for each word that a spec expects.
const expectedAlarm = "expected alarm"

// expectedAlarms are the words that the current spec expects.
func expectedAlarms() (words []string) {
	for _, entry := range CurrentSpecReport().ReportEntries {
		if entry.Name == expectedAlarm {
			words = append(words, entry.StringRepresentation())
		}
	}
	return words
}

// verifyLogs returns an error if the log of a node tells of a bug that the spec does not expect. A cluster that the spec has
// closed has no logs.
func (c *specCluster) verifyLogs() error {
	err := c.VerifyLogs(expectedAlarms()...)
	if errors.Is(err, harness.ErrClosed) {
		return nil
	}
	return err
}
