package journal

import (
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// String describes the event in one line, without its time.
func (e Event) String() string {
	line := string(e.Kind)
	if e.Node != None {
		line += fmt.Sprintf(" node %d", e.Node)
	}
	if e.Op != nil && e.Op.Client != None {
		line += fmt.Sprintf(" client %d", e.Op.Client)
	}
	line += ": " + e.Words()
	if e.Took > 0 {
		line += fmt.Sprintf(" (%v)", e.Took.Round(10*time.Microsecond))
	}
	if e.Op != nil && e.Op.Outcome == Unknown {
		line += " -> unknown"
	}
	if e.Err != "" {
		line += " -> " + e.Err
	}
	return oneLine(line)
}

func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// Words describes what the event's fields say, and after it Text.
func (e Event) Words() string {
	words := ""
	switch {
	case e.Op != nil && len(e.Op.Steps) > 0:
		return joined(e.Text, " | ", e.Op.String())
	case e.Flag != nil:
		words = e.Flag.String()
	case e.Fault != nil:
		words = e.Fault.String()
	case e.Boot != nil:
		words = e.Boot.String()
	case e.Member != nil:
		words = e.Member.String()
	case e.State != nil && e.Kind != Check:
		words = e.State.String()
	case e.Sample != nil:
		words = e.Sample.String()
	case e.Spec != nil:
		words = e.Spec.String()
	case e.Poll != nil:
		words = e.Poll.String()
	case e.To != nil:
		words = fmt.Sprintf("to node %d", e.To.Node)
	}
	words = joined(words, ": ", e.Text)
	if e.Place != nil {
		words += fmt.Sprintf(" [%s:%d]", e.Place.File, e.Place.Line)
	}
	return words
}

func joined(first, between, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + between + second
}

// String describes the change, such as "take offline (crash)".
func (f FlagChange) String() string {
	text := "take offline"
	if f.Online {
		text = "bring online"
	}
	switch {
	case f.Wiped:
		text += " (wiped)"
	case f.Mode != "" && !f.Online:
		text += " (" + string(f.Mode) + ")"
	}
	return text
}

// String describes what the event does, such as "crash" or "start".
func (f FaultChange) String() string {
	if f.Phase == Ends {
		return f.ends()
	}
	return f.begins()
}

func (f FaultChange) begins() string {
	links := fault.LinkWords(f.Links)
	switch f.Kind {
	case fault.KindCut:
		return joined("cut "+action(f.Rule), " ", links)
	case fault.KindLink:
		return fmt.Sprintf("link %s: %v", links, rule(f.Rule))
	case fault.KindReset:
		return "reset " + links
	case fault.KindFlap:
		return fmt.Sprintf("flap every %v %s", f.By, links)
	case fault.KindPartition:
		return fmt.Sprintf("%s %v", f.Kind, f.Groups)
	case fault.KindRing, fault.KindBridge:
		return string(f.Kind) + " " + strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(f.Groups), "["), "]")
	case fault.KindDisk:
		if f.Disk != nil {
			return "disk: " + f.Disk.String()
		}
	case fault.KindDamage:
		return "damage the " + string(f.Part)
	case fault.KindClock:
		return "clock: " + fault.Skew(f.By)
	default:
	}
	return string(f.Kind)
}

func (f FaultChange) ends() string {
	switch f.Kind {
	case fault.KindIsolate:
		return "rejoin"
	case fault.KindStop, fault.KindCrash:
		return "start"
	case fault.KindPause:
		return "resume"
	case fault.KindWipe:
		return "replace the disk"
	case fault.KindCut:
		return "mend " + fault.LinkWords(f.Links)
	case fault.KindLink:
		return fmt.Sprintf("link %s: sound", fault.LinkWords(f.Links))
	case fault.KindFlap:
		return "mend after flapping every " + f.By.String() + " " + fault.LinkWords(f.Links)
	case fault.KindDisk:
		return "disk: sound"
	case fault.KindClock:
		return "clock: " + fault.Skew(0)
	default:
	}
	return "end " + string(f.Kind)
}

func rule(r *fault.Rule) fault.Rule {
	if r == nil {
		return fault.Rule{}
	}
	return *r
}

func action(r *fault.Rule) string { return fmt.Sprintf("(%v)", rule(r).Action) }

// String describes the cluster, such as "3 nodes, seed 1".
func (b BootInfo) String() string {
	text := fmt.Sprintf("%d nodes, seed %d", b.Size, b.Seed)
	if b.Target != "" {
		text += ", target " + b.Target
	}
	return text
}

// String describes the change, such as "add a voter".
func (m MemberChange) String() string {
	verb, suffrage := "remove", "non-voter"
	if m.Added {
		verb = "add"
	}
	if m.Voter {
		suffrage = "voter"
	}
	return verb + " a " + suffrage
}

// String describes the state in one line.
func (s State) String() string {
	text := ""
	if s.Health != "" {
		text = s.Health + ", "
	}
	text += fmt.Sprintf("%s in term %d, leader %s", or(s.Role, "?"), s.Term, or(s.Leader, "none"))
	if s.Health != "" || s.Commit > 0 || s.Applied > 0 {
		text += fmt.Sprintf(", commit %d, applied %d", s.Commit, s.Applied)
	}
	if s.Digest != "" {
		text += ", digest " + s.Digest
	}
	return text
}

// String describes the sample in one line.
func (s Sample) String() string {
	text := fmt.Sprintf("applied %d, %d behind, log of %d entries", s.Applied, s.Behind, s.LogEntries)
	if s.Memory > 0 {
		text += ", memory " + size(s.Memory)
	}
	return text
}

// size describes a number of bytes.
func size(bytes uint64) string {
	for _, unit := range []struct {
		bytes uint64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if bytes >= unit.bytes {
			return fmt.Sprintf("%.1f %s", float64(bytes)/float64(unit.bytes), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// String describes the boundary, such as "begin A cluster loses a node".
func (s SpecBoundary) String() string {
	if s.State == "" {
		return "begin " + s.Name
	}
	return "end " + s.State
}

// String describes the polls.
func (p Poll) String() string {
	text := fmt.Sprintf("%q did not hold at %d polls: first %s", p.Condition, p.Count, or(p.First, "nothing"))
	if p.Count > 1 && p.Last != p.First {
		text += "; last " + or(p.Last, "nothing")
	}
	if p.Held {
		text += "; then it held"
	}
	return text
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
