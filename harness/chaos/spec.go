package chaos

import (
	"cmp"
	"fmt"
	"go/format"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness"
)

// Imports are the packages that the code of Spec uses, besides Ginkgo and Gomega.
func Imports(code string) []string {
	const house = "github.com/rejoin-db/rejoin/harness"
	var used []string
	for _, p := range []string{"context", "slices", "time", house, house + "/chaos", house + "/disk", house + "/matchers", house + "/network", house + "/target"} {
		if strings.Contains(code, path.Base(p)+".") {
			used = append(used, p)
		}
	}
	return used
}

// Spec is the schedule as the code of a Ginkgo spec, for any suite with a
// *harness.Cluster in the variable cluster: the same loads, and the same faults at
// the same times. It needs what Imports says.
func Spec(s Schedule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "// Found with seed %d, on %d nodes", s.Seed, s.Nodes)
	if s.Pace > 0 {
		fmt.Fprintf(&b, " that wait %v for a leader", s.Pace)
	}
	fmt.Fprintf(&b, ".\nIt(%q, func(ctx SpecContext) {\n", title(s))
	b.WriteString(loadsCode(s))
	moves := movesOf(s)
	if len(moves) > 0 || s.Most == 0 {
		b.WriteString(untilCode)
	}
	for _, m := range moves {
		fmt.Fprintf(&b, "\nBy(%q)\nuntil(%s)\n%s\n", m.words, durationCode(m.at), strings.Join(m.code, "\n"))
	}
	b.WriteString("\nBy(\"the end of trouble\")\n")
	if s.Most > 0 {
		b.WriteString("for _, load := range loads {\nEventually(ctx, load.Done()).Should(BeClosed())\n}\n")
	} else {
		b.WriteString("until(" + durationCode(s.Length) + ")\n")
	}
	b.WriteString(endCode)
	fmt.Fprintf(&b, "}, SpecTimeout(%s))\n", durationCode(time.Duration(5+int(s.Length.Minutes()))*time.Minute))
	code, err := format.Source([]byte(b.String()))
	if err != nil { // a fault of this file's, and a spec to be mended is more than none
		return b.String()
	}
	return string(code)
}

// title names the spec after its kinds of faults.
func title(s Schedule) string {
	var kinds []string
	for _, f := range s.Faults {
		if !slices.Contains(kinds, string(f.Kind)) {
			kinds = append(kinds, string(f.Kind))
		}
	}
	if len(kinds) == 0 {
		return "keeps its promises"
	}
	return "keeps its promises over: " + strings.Join(kinds, ", ")
}

func loadsCode(s Schedule) string {
	return fmt.Sprintf(`var loads []*chaos.Running
for _, workload := range chaos.Workloads("chaos") {
	if !slices.Contains(%#v, workload.Name()) {
		continue
	}
	load, err := chaos.Load{Workload: workload, Clients: %d, Rate: %g, Most: %d, Deadline: %s, Seed: %d}.Start(ctx, cluster)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(load.Stop)
	loads = append(loads, load)
}
`, s.Workloads, s.Clients, s.Rate, s.Most, durationCode(s.deadline()), s.Seed)
}

const untilCode = `begun := time.Now()
until := func(at time.Duration) {
	select {
	case <-time.After(at - time.Since(begun)):
	case <-ctx.Done():
	}
}
`

const endCode = `Expect(cluster.Heal(ctx)).To(Succeed())
for _, load := range loads {
	Expect(load.Finish(ctx)).To(Succeed())
}
Expect(cluster.VerifyInvariants(ctx)).To(Succeed())
Expect(cluster.Journal()).To(matchers.KeepEveryPromise())
`

// move is something that is done at one time.
type move struct {
	at    time.Duration
	words string
	code  []string
}

// movesOf are the faults and their ends, in order.
func movesOf(s Schedule) []move {
	var moves []move
	for i, f := range s.Faults {
		begin, end := f.code(i, s)
		moves = append(moves, move{f.At, f.String(), begin})
		if words, half := f.halfway(); words != "" {
			moves = append(moves, move{min(f.At+f.Lasts/2, s.Length), words, half})
		}
		moves = append(moves, move{min(f.At+f.Lasts, s.Length), "the end of: " + string(f.Kind), end})
	}
	slices.SortStableFunc(moves, func(a, b move) int { return cmp.Compare(a.at, b.at) })
	return moves
}

// code is how the fault is made and undone; place tells its variables apart.
func (f Fault) code(place int, s Schedule) (begin, end []string) {
	switch f.Kind {
	case Isolate, Stop, Crash, Pause:
		way := strings.ToUpper(string(f.Kind[:1])) + string(f.Kind[1:])
		return expect("TakeNodeOffline", f.Node, "harness."+way), expect("BringNodeOnline", f.Node)
	case Wipe:
		return expect("TakeNodeOffline", f.Node, "harness.Crash"), expect("BringNodeOnline", f.Node, "harness.Wiped")
	case CrashInstalling:
		return expect("TakeNodeOffline", f.Node, "harness.Crash"), slices.Concat(expect("SetDisk", f.Node, "disk.Faults{}"), expect("BringNodeOnline", f.Node))
	case CrashAll:
		each := func(do []string) []string {
			return append(append([]string{"for _, node := range cluster.Nodes() {"}, do...), "}")
		}
		return each(expect("TakeNodeOffline", "node.Index()", "harness.Crash")), each(expect("BringNodeOnline", "node.Index()"))
	case AddNode:
		added := fmt.Sprintf("added%d", place)
		return assign(added, "cluster.AddNode(ctx)"), expect("RemoveNode", added+".Index()")
	case RemoveNode:
		return expect("RemoveNode", f.Node), []string{"Expect(cluster.AddNode(ctx)).Error().NotTo(HaveOccurred())"}
	case SlowDisk, FullDisk, LyingDisk, TornDisk:
		return f.diskCode()
	case ClockAhead, ClockBehind, ClockJump:
		first, _ := f.ahead()
		return expect("SetClock", f.Node, durationCode(first)), expect("SetClock", f.Node, 0)
	}
	return f.linkCode(place, s)
}

// halfway is what is done after half the time; no words if it is nothing.
func (f Fault) halfway() (words string, code []string) {
	switch f.Kind {
	case ClockJump:
		_, then := f.ahead()
		return "the clock jumps", expect("SetClock", f.Node, durationCode(then))
	case CrashInstalling:
		return "a crash in the middle of a snapshot", slices.Concat(
			expect("SetDisk", f.Node, "disk.Faults{Slow: "+durationCode(f.By)+"}"), expect("BringNodeOnline", f.Node),
			[]string{fmt.Sprintf(installingCode, f.Node)}, expect("TakeNodeOffline", f.Node, "harness.Crash"))
	}
	return "", nil
}

// installingCode waits until a node is at a snapshot.
const installingCode = `Eventually(ctx, func(ctx context.Context) (target.Status, error) {
	node, err := cluster.Node(%d)
	if err != nil {
		return target.Status{}, err
	}
	return node.Status(ctx)
}).Should(HaveField("Activity", Or(ContainSubstring("receiving"), ContainSubstring("restoring"))))`

func (f Fault) diskCode() (begin, end []string) {
	sound := expect("SetDisk", f.Node, "disk.Faults{}")
	crash := expect("TakeNodeOffline", f.Node, "harness.Crash")
	wiped := slices.Concat(crash, expect("BringNodeOnline", f.Node, "harness.Wiped"))
	switch f.Kind {
	case FullDisk:
		return expect("SetDisk", f.Node, "disk.Faults{Full: true}"), wiped
	case LyingDisk:
		return expect("SetDisk", f.Node, "disk.Faults{Lying: true}"), wiped
	case TornDisk:
		return expect("SetDisk", f.Node, "disk.Faults{Torn: true}"), slices.Concat(crash, sound, expect("BringNodeOnline", f.Node))
	}
	return expect("SetDisk", f.Node, "disk.Faults{Slow: "+durationCode(f.By)+"}"), sound
}

func (f Fault) linkCode(place int, s Schedule) (begin, end []string) {
	ways := f.waysCode()
	switch f.Kind {
	case CutOneWay, CutBothWays:
		return expect("Cut", "network.Drop", ways), expect("Mend", ways)
	case Partition:
		var low, high []string
		for i := range s.Nodes {
			if i < max(f.Node, 1) {
				low = append(low, fmt.Sprint(i))
			} else {
				high = append(high, fmt.Sprint(i))
			}
		}
		groups := fmt.Sprintf("[]int{%s}, []int{%s}", strings.Join(low, ", "), strings.Join(high, ", "))
		return expect("Partition", groups), expect("Mend", "network.Partition("+groups+")...")
	case IsolateLeader:
		leader := fmt.Sprintf("leader%d", place)
		return assign(leader, "cluster.IsolateLeader(ctx)"), []string{
			fmt.Sprintf("for _, node := range cluster.Nodes() {\nif node.Index() != %s {", leader),
			fmt.Sprintf("Expect(cluster.Mend(ctx, network.Around(%s, []int{node.Index()})...)).To(Succeed())", leader), "}\n}",
		}
	case ResetLink:
		return expect("ResetLink", f.Node, endCodeOf(f.Other)), expect("Mend", ways)
	case FlappingLink:
		stop := fmt.Sprintf("stop%d", place)
		return assign(stop, fmt.Sprintf("cluster.Flapping(ctx, %s, %s)", durationCode(f.By), ways)), []string{"Expect(" + stop + "()).To(Succeed())"}
	}
	rule := fmt.Sprintf("network.Rule{Bandwidth: %d}", narrow)
	switch f.Kind {
	case SlowLink:
		rule = fmt.Sprintf("network.Rule{Latency: %s, Jitter: %s}", durationCode(f.By), durationCode(f.By/2))
	case LossyLink:
		rule = fmt.Sprintf("network.Rule{Loss: %g}", loss)
	}
	return expect("SetLink", f.Node, endCodeOf(f.Other), rule), expect("SetLink", f.Node, endCodeOf(f.Other), "network.Rule{}")
}

func (f Fault) waysCode() string {
	var ways []string
	for _, way := range f.ways() {
		ways = append(ways, fmt.Sprintf("network.Way[int]{From: %s, To: %s}", endCodeOf(way.From), endCodeOf(way.To)))
	}
	return strings.Join(ways, ", ")
}

func endCodeOf(end int) string {
	if end == harness.Clients {
		return "harness.Clients"
	}
	return fmt.Sprint(end)
}

// expect is a call that must succeed.
func expect(method string, args ...any) []string {
	call := "Expect(cluster." + method + "(ctx"
	for _, arg := range args {
		call += fmt.Sprintf(", %v", arg)
	}
	return []string{call + ")).To(Succeed())"}
}

// assign is a call that must succeed, and whose value is kept.
func assign(name, call string) []string {
	return []string{name + ", err := " + call, "Expect(err).NotTo(HaveOccurred())"}
}

// durationCode is a duration as code.
func durationCode(d time.Duration) string {
	for _, unit := range []struct {
		is   time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"}} {
		if d != 0 && d%unit.is == 0 {
			return fmt.Sprintf("%d*time.%s", d/unit.is, unit.name)
		}
	}
	return fmt.Sprintf("%d", int64(d))
}
