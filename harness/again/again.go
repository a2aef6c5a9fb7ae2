package again

import (
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// Spec is a spec that ran.
type Spec struct {
	Seed    int64  // Ginkgo's
	Text    string // all of it, with its containers'
	Journal string // the file with what happened; none if empty
	Cluster settings.Cluster
}

// Line is the command that runs the spec again.
func (s Spec) Line() string {
	own, defaults := s.Cluster, settings.Default().Cluster
	line := command{}
	// What a node logs changes no run, and make replay has names of its own for the others.
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

// Schedule is a schedule of faults that ran.
type Schedule struct {
	Seed       uint64   // from which it was drawn
	Without    []string // kinds of faults that were not drawn
	Journal    string   // the file with what happened; none if empty
	Interleave uint64
	Yield      float64
	Defect     string // the bug that was planted; none if empty
}

// Line is the command that runs the schedule again.
func (s Schedule) Line() string {
	line := command{"make", "replay", "CHAOS=1"}
	line.set("SEED", strconv.FormatUint(s.Seed, 10))
	line.set("WITHOUT", strings.Join(s.Without, ","))
	line.set("JOURNAL", s.Journal)
	line.schedule(s.Interleave, s.Yield)
	line.set("DEFECT", s.Defect)
	return line.String()
}

// Doubt is what a line needs beside it where the program that prints it does not replay
// exactly; empty where it does.
func Doubt() string {
	if replay.Exact() {
		return ""
	}
	return "This run was not exact, because the program was not built for exact replay as make builds it, so another run may differ from it."
}

// command is a line for a shell, word by word.
type command []string

func (c command) String() string { return strings.Join(c, " ") }

// set adds a variable of make, if it has a value. make takes two dollars for one.
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

// quote is the text as one word for a shell.
func quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,:@%+"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
