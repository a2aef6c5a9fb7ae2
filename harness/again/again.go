package again

import (
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// Spec describes a spec that ran.
type Spec struct {
	Seed    int64            // Ginkgo's seed
	Text    string           // full text, with the texts of its containers
	Journal string           // journal file; empty for none
	Cluster settings.Cluster // settings it ran with
}

// Line returns the shell command that runs the spec again.
func (s Spec) Line() string {
	own, defaults := s.Cluster, settings.Default().Cluster
	line := command{}
	// The log level does not affect a run. The other settings have names of their own in make replay.
	for _, variable := range own.Variables("cluster.target", "cluster.log-level", "cluster.defect", "cluster.interleave", "cluster.yield") {
		name, value, _ := strings.Cut(variable, "=")
		line = append(line, name+"="+quote(value))
	}
	line = append(line, "make", "replay")
	line.set("SEED", strconv.FormatInt(s.Seed, 10))
	line.set("SPEC", s.Text)
	line.set("JOURNAL", s.Journal)
	line.schedule(own.Interleave, own.Yield)
	if own.Defect != defaults.Defect {
		line.set("DEFECT", own.Defect)
	}
	return line.String()
}

// Schedule describes a schedule of faults that ran.
type Schedule struct {
	Seed       uint64   // seed from which it was drawn
	Without    []string // excluded kinds of faults
	Journal    string   // journal file; empty for none
	Interleave uint64   // as in settings.Cluster
	Yield      float64  // as in settings.Cluster
	Defect     string   // planted bug; empty for none
}

// Line returns the shell command that runs the schedule again.
func (s Schedule) Line() string {
	line := command{"make", "replay", "CHAOS=1"}
	line.set("SEED", strconv.FormatUint(s.Seed, 10))
	line.set("WITHOUT", strings.Join(s.Without, ","))
	line.set("JOURNAL", s.Journal)
	line.schedule(s.Interleave, s.Yield)
	line.set("DEFECT", s.Defect)
	return line.String()
}

// Doubt returns a sentence to print next to a line if this program does not replay exactly, and "" if it does.
func Doubt() string {
	if replay.Exact() {
		return ""
	}
	return "This run was not exact, because the program was not built with make. Another run may differ from it."
}

// command is a shell command, as a list of words.
type command []string

func (c command) String() string { return strings.Join(c, " ") }

// set adds a make variable, unless the value is empty. make reads "$$" as "$".
func (c *command) set(name, value string) {
	if value != "" {
		*c = append(*c, name+"="+quote(strings.ReplaceAll(value, "$", "$$")))
	}
}

func (c *command) schedule(interleave uint64, yield float64) {
	if interleave != 0 {
		c.set("INTERLEAVE", strconv.FormatUint(interleave, 10))
	}
	if yield != 0 {
		c.set("YIELD", strconv.FormatFloat(yield, 'g', -1, 64))
	}
}

// quote quotes the text as one shell word.
func quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,:@%+"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
