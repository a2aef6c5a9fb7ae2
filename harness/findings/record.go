package findings

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Entry is the name of the report entry that has a Record.
const Entry = "finding"

// Record is what the spec of a finding has seen.
type Record struct {
	Finding
	Database string `json:"database"`
	Version  string `json:"version"`
	// Seen says what was seen; empty if nothing was.
	Seen string `json:"seen"`
	// Seed is Ginkgo's.
	Seed int64 `json:"seed"`
	// Schedule has the faults in order, with the time since the cluster began to boot.
	Schedule []string `json:"schedule"`
	// History has the files with the journals of the clusters, in JSON lines, relative to the folder of the suite.
	History []string `json:"history"`
	// Command shows the finding again, in the folder of the suite.
	Command string `json:"command"`
}

// String is the record in words, several lines.
func (r Record) String() string {
	verdict := "finding: it breaks what the makers claim"
	if r.Expected {
		verdict = "expected: the makers do not promise it"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, %s: %s\n", r.Database, r.Version, r.Setting, r.Title)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", name, text)
		}
	}
	line("seen", r.Seen)
	line("verdict", verdict)
	line("claim", r.Claim)
	line("layer", string(r.Layer))
	line("upstream", r.Upstream)
	for _, event := range r.Schedule {
		line("schedule", event)
	}
	for _, path := range r.History {
		line("history", path)
	}
	line("seed", fmt.Sprint(r.Seed))
	line("again", r.Command)
	return strings.TrimSuffix(b.String(), "\n")
}

// RecordOf returns the record of a spec, from a report in memory or from one that was read as JSON; false if it has none.
func RecordOf(spec types.SpecReport) (r Record, has bool, err error) {
	i := slices.IndexFunc(spec.ReportEntries, func(e types.ReportEntry) bool { return e.Name == Entry })
	if i < 0 {
		return r, false, nil
	}
	value := spec.ReportEntries[i].Value
	if raw, is := value.GetRawValue().(Record); is {
		return raw, true, nil
	}
	if err := json.Unmarshal([]byte(value.AsJSON), &r); err != nil {
		return r, false, fmt.Errorf("read the record of %q: %w", spec.FullText(), err)
	}
	return r, true, nil
}

// precision is that of the times of a schedule.
const precision = 100 * time.Millisecond

// schedule are the faults, and changes of members, of a journal.
func schedule(events []journal.Event) (lines []string) {
	for _, e := range events {
		if e.Kind == journal.Fault || e.Kind == journal.Member {
			lines = append(lines, fmt.Sprintf("+%v %s", e.At.Sub(events[0].At).Round(precision), e))
		}
	}
	return lines
}

// folder takes the histories, in the folder of the suite.
const folder = "reports/findings"

// save writes the journal of a cluster, which is the number-th of the spec, and returns where.
func (s *Show) save(cluster *harness.Cluster, number int) (path string, err error) {
	name := slug(s.of.database + " " + s.finding.Setting + " " + s.finding.Title)
	if number > 0 {
		name += fmt.Sprintf("-%d", number+1)
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", err
	}
	path = filepath.Join(folder, name+".jsonl")
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	header := cluster.Journal().Header()
	header.Seed = cluster.Seed()
	return path, errors.Join(journal.Save(file, header, cluster.Journal().Events()), file.Close())
}

// slug is a text as the name of a file: letters, digits and hyphens.
func slug(text string) string {
	const most = 120 // bytes
	words := strings.FieldsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	name := strings.ToLower(strings.Join(words, "-"))
	return strings.TrimRight(name[:min(len(name), most)], "-")
}

// command runs one finding of this program's suite again.
func command(title string) string {
	path, _ := again.Built()
	focus := strings.ReplaceAll(regexp.QuoteMeta(title), "'", `'\''`)
	line := fmt.Sprintf("REJOIN_LABEL_FILTER=%s go test -v -timeout=0 %s -ginkgo.v -ginkgo.seed=%d -ginkgo.focus='%s'", Label, path,
		ginkgo.GinkgoRandomSeed(), focus)
	if over := os.Getenv(targetVariable); over != "" {
		line = targetVariable + "=" + over + " " + line
	}
	return line
}

const targetVariable = "REJOIN_TARGET"
