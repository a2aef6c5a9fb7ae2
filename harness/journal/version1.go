package journal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// version1 gives events of version 1 the fields of the current version, in the order in which
// they were recorded. Version 1 said in its texts what a fault did, which spec began, and what a
// node used. A text that it does not understand stays as it is.
type version1 struct {
	lost   map[int]fault.Mode // how nodes that are offline were lost
	voters map[int]bool       // the last known voters
}

func (v *version1) upgrade(e *Event) {
	switch e.Kind {
	case Boot:
		v.boot(e)
	case Flag:
		v.flag(e)
	case Fault:
		v.fault(e)
	case Member:
		v.member(e)
	case Shown:
		if e.State != nil {
			e.Text = ""
		}
	case Resource:
		v.resource(e)
	case Spec:
		v.spec(e)
	default:
	}
	if e.Members != nil {
		v.voters = make(map[int]bool)
		for _, node := range e.Members.Voters {
			v.voters[node] = true
		}
	}
}

func (v *version1) boot(e *Event) {
	var b BootInfo
	text := strings.TrimPrefix(e.Text, "boot ") // of version 0
	if _, err := fmt.Sscanf(text, "%d nodes, seed %d", &b.Size, &b.Seed); err == nil && b.Size > 0 {
		e.Boot, e.Text = &b, ""
	}
}

func (v *version1) flag(e *Event) {
	if e.Flag == nil {
		return
	}
	change := *e.Flag
	if change.Mode == "" { // version 0 had it in the text only
		_, mode, _ := strings.Cut(e.Text, "(")
		change.Mode = fault.Mode(strings.TrimSuffix(mode, ")"))
	}
	switch {
	case change.Mode == "wiped":
		change.Mode, change.Wiped = v.lost[e.Node], true
	case !slices.Contains(fault.Modes(), change.Mode):
		change.Mode = v.lost[e.Node]
	}
	e.Flag, e.Text = &change, ""
	switch {
	case e.Err != "":
	case change.Online:
		delete(v.lost, e.Node)
	default:
		if v.lost == nil {
			v.lost = make(map[int]fault.Mode)
		}
		v.lost[e.Node] = change.Mode
	}
}

func (v *version1) member(e *Event) {
	if e.Text != "add a node" && e.Text != "remove the node" {
		return
	}
	change := MemberChange{Added: e.Text == "add a node", Voter: true}
	switch {
	case !change.Added && v.voters != nil:
		change.Voter = v.voters[e.Node]
	case e.Members != nil:
		change.Voter = slices.Contains(e.Members.Voters, e.Node)
	}
	e.Member, e.Text = &change, ""
}

func (v *version1) resource(e *Event) {
	var s Sample
	if _, err := fmt.Sscanf(e.Text, "applied %d, %d behind, log of %d entries", &s.Applied, &s.Behind, &s.LogEntries); err != nil {
		return
	}
	if _, text, has := strings.Cut(e.Text, ", memory "); has {
		number, unit, _ := strings.Cut(text, " ")
		n, err := strconv.ParseFloat(number, 64)
		scale := map[string]float64{"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "bytes": 1}[unit]
		if memory := n * scale; err == nil && memory >= 0 && memory < 1<<60 {
			s.Memory = uint64(memory)
		}
	}
	e.Sample, e.Text = &s, ""
}

func (v *version1) spec(e *Event) {
	if name, begins := strings.CutPrefix(e.Text, "begin "); begins {
		e.Spec, e.Text = &SpecBoundary{Name: name}, ""
	} else if state, ends := strings.CutPrefix(e.Text, "end "); ends && state != "" {
		e.Spec, e.Text = &SpecBoundary{State: state}, ""
	}
}

// fault understands the faults of single nodes and links. IDs it cannot know.
func (v *version1) fault(e *Event) {
	change, understood := v.nodeFault(e)
	if !understood {
		change, understood = linkFault(e.Text)
	}
	if understood {
		e.Fault, e.Text = &change, ""
	}
}

func (v *version1) nodeFault(e *Event) (FaultChange, bool) {
	begins := func(f fault.Fault) (FaultChange, bool) {
		f.Node = e.Node
		return FaultChange{Fault: f, Phase: Begins}, true
	}
	ends := func(kind fault.Kind) (FaultChange, bool) {
		return FaultChange{Fault: fault.Fault{Kind: kind, Node: e.Node}, Phase: Ends}, true
	}
	switch e.Text {
	case "isolate", "stop", "crash", "pause":
		return begins(fault.Fault{Kind: fault.Kind(e.Text)})
	case "rejoin":
		return ends(fault.KindIsolate)
	case "start":
		kind := fault.KindStop
		if v.lost[e.Node] == fault.Crash {
			kind = fault.KindCrash
		}
		return ends(kind)
	case "resume":
		return ends(fault.KindPause)
	case "replace the disk":
		return ends(fault.KindWipe)
	case "disk: sound":
		return ends(fault.KindDisk)
	case "clock: right":
		return ends(fault.KindClock)
	}
	if disk, is := diskOf(e.Text); is {
		return begins(fault.Fault{Kind: fault.KindDisk, Disk: &disk})
	}
	if part, is := strings.CutPrefix(e.Text, "damage the "); is && fault.Part(part).Validate() == nil {
		return begins(fault.Fault{Kind: fault.KindDamage, Part: fault.Part(part)})
	}
	if skew, is := strings.CutPrefix(e.Text, "clock: "); is {
		text, direction, _ := strings.Cut(skew, " ")
		by, err := time.ParseDuration(text)
		if direction == "behind" {
			by = -by
		}
		if err == nil {
			return begins(fault.Fault{Kind: fault.KindClock, By: by})
		}
	}
	return FaultChange{}, false
}

// diskOf reads what is wrong with a disk, such as "disk: full, 30ms slower".
func diskOf(text string) (d fault.Disk, known bool) {
	words, is := strings.CutPrefix(text, "disk: ")
	if !is {
		return d, false
	}
	for word := range strings.SplitSeq(words, ", ") {
		switch word {
		case "full":
			d.Full = true
		case "failing":
			d.Failing = true
		case "lying":
			d.Lying = true
		case "about to tear a write":
			d.Torn = true
		default:
			slower, is := strings.CutSuffix(word, " slower")
			by, err := time.ParseDuration(slower)
			if !is || err != nil {
				return d, false
			}
			d.Slow = by
		}
	}
	return d, true
}

func linkFault(text string) (FaultChange, bool) {
	var leader int
	if n, _ := fmt.Sscanf(text, "isolate the leader %d", &leader); n == 1 && leader >= 0 {
		return FaultChange{Fault: fault.Fault{Kind: fault.KindIsolateLeader, Node: leader}, Phase: Begins}, true
	}
	for _, of := range []struct {
		prefix string
		kind   fault.Kind
		phase  Phase
		rule   *fault.Rule
	}{
		{"cut (drop) ", fault.KindCut, Begins, &fault.Rule{Action: fault.Drop}},
		{"cut (refuse) ", fault.KindCut, Begins, &fault.Rule{Action: fault.Refuse}},
		{"mend ", fault.KindCut, Ends, nil},
		{"reset ", fault.KindReset, Begins, nil},
	} {
		words, is := strings.CutPrefix(text, of.prefix)
		if !is {
			continue
		}
		var links []fault.Link
		for word := range strings.FieldsSeq(words) {
			link, known := linkOf(word)
			if !known {
				return FaultChange{}, false
			}
			links = append(links, link)
		}
		return FaultChange{Fault: fault.Fault{Kind: of.kind, Node: fault.NoNode, Links: links, Rule: of.rule}, Phase: of.phase}, true
	}
	return FaultChange{}, false
}

// linkOf reads a link such as "0->clients".
func linkOf(word string) (fault.Link, bool) {
	from, to, is := strings.Cut(word, "->")
	a, knownA := endOf(from)
	b, knownB := endOf(to)
	return fault.Link{From: a, To: b}, is && knownA && knownB
}

func endOf(word string) (int, bool) {
	if word == "clients" {
		return fault.Clients, true
	}
	node, err := strconv.Atoi(word)
	return node, err == nil && node >= 0
}
