package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// inVirtualTime is where printed specs run in these tests.
var inVirtualTime = chaos.Place{Target: "virtual.New(virtual.Options{})", Decorator: "virtual.Bubble()"}

// broken is a place whose nodes have a planted bug.
const bug = "loses-ddl"

var broken = chaos.Place{
	Target: "broken", Decorator: "virtual.Bubble()",
	Before: fmt.Sprintf("bug, err := defects.Find(%q)\nExpect(err).NotTo(HaveOccurred())\n", bug) +
		"broken, err := bug.Plant(virtual.New(virtual.Options{}))\nExpect(err).NotTo(HaveOccurred())",
}

// ofAllKinds is a schedule with a fault of each kind.
func ofAllKinds() chaos.Schedule {
	s := chaos.Schedule{
		Seed: 3, Nodes: 3, Pace: time.Second, Workloads: []string{"register", "set"}, Clients: 2, Rate: 1.5, Length: time.Minute,
	}
	for i, k := range nemesis.All() {
		f := fault.Fault{Kind: k.Name, Node: i % 3, Links: k.LinksFrom(fault.Link{From: i % 3, To: (i + 1) % 3})}
		if k.On == nemesis.Network {
			f.Groups = [][]int{{0}, {1, 2}}
		}
		if k.Unit != nil {
			f.By = time.Millisecond
		}
		s.Faults = append(s.Faults, chaos.Entry{At: time.Duration(i) * 1500 * time.Millisecond, Lasts: time.Second, Fault: f})
	}
	s.Faults = append(s.Faults, at(0, time.Hour, fault.Fault{Kind: "lossy link", Links: oneLink(0, fault.Clients)}))
	return s
}

func specOf(s chaos.Schedule) string {
	GinkgoHelper()
	spec, err := chaos.Spec(s, inVirtualTime)
	Expect(err).NotTo(HaveOccurred())
	return spec
}

// suiteCode is a suite of its own around printed specs.
const suiteCode = `//go:debug randseednop=0
package printed_test

import (
	"runtime"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestPrinted(t *testing.T) {
	runtime.GOMAXPROCS(1)
	RegisterFailHandler(Fail)
	RunSpecs(t, "Printed")
}
`

// fileCode is a file of it with one spec.
const fileCode = `package printed_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	%s
)

var _ = Describe("%d", func() {
%s
})
`

// write writes the specs as files of a package of their own within the module.
func write(specs []string) (dir string) {
	GinkgoHelper()
	Expect(os.MkdirAll("testdata", 0o755)).To(Succeed())
	dir, err := os.MkdirTemp("testdata", "printed-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	Expect(os.WriteFile(filepath.Join(dir, "suite_test.go"), []byte(suiteCode), 0o644)).To(Succeed())
	for i, spec := range specs {
		var imports strings.Builder
		for _, path := range chaos.Imports(spec) {
			fmt.Fprintf(&imports, "%q\n", path)
		}
		if strings.Contains(spec, "defects.") {
			fmt.Fprintf(&imports, "%q\n", "github.com/rejoin-db/rejoin/harness/defects")
		}
		code := fmt.Sprintf(fileCode, &imports, i, spec)
		Expect(os.WriteFile(filepath.Join(dir, fmt.Sprintf("spec%d_test.go", i)), []byte(code), 0o644)).To(Succeed())
	}
	return dir
}

// verdict is the result of a run or of a printed spec.
type verdict struct {
	failed bool
	faults map[fault.Kind]chaos.Count
}

// play compiles the specs into one program, runs it, and returns the verdict of each.
func play(ctx context.Context, specs []string) []verdict {
	GinkgoHelper()
	dir, out := write(specs), GinkgoT().TempDir()
	binary, report := filepath.Join(out, "printed.test"), filepath.Join(out, "report.json")
	said, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./"+dir).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", said)
	run := exec.CommandContext(ctx, binary, "-test.timeout=0", "-ginkgo.no-color", "-ginkgo.json-report="+report)
	run.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	said, _ = run.CombinedOutput() // it fails if a spec does, and is judged by its report
	content, err := os.ReadFile(report)
	Expect(err).NotTo(HaveOccurred(), "%s", said)
	var reports []types.Report
	Expect(json.Unmarshal(content, &reports)).To(Succeed())
	verdicts := make([]verdict, len(specs))
	seen := 0
	for _, spec := range reports[0].SpecReports {
		if !spec.LeafNodeType.Is(types.NodeTypeIt) {
			continue
		}
		var number int
		Expect(fmt.Sscan(spec.ContainerHierarchyTexts[0], &number)).To(Equal(1))
		v := verdict{failed: spec.Failed()}
		for _, entry := range spec.ReportEntries {
			Expect(json.Unmarshal([]byte(entry.Value.AsJSON), &v.faults)).To(Succeed())
		}
		if v.failed && v.faults == nil {
			Fail(spec.FailureMessage())
		}
		verdicts[number] = v
		seen++
	}
	Expect(seen).To(Equal(len(specs)), "%s", said)
	return verdicts
}

// run runs a schedule as the command does.
func run(ctx context.Context, s chaos.Schedule, t target.Target) (v verdict, failure *chaos.Failure) {
	GinkgoHelper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var outcome *chaos.Outcome
	var err error
	Expect(virtual.Run(ctx, func(ctx context.Context) {
		outcome, err = chaos.Run(ctx, t, s, chaos.Options{Judge: func(events []journal.Event) error { return check.All(events) }})
	})).To(Succeed())
	Expect(err).NotTo(HaveOccurred())
	return verdict{outcome.Failure != nil, outcome.Faults}, outcome.Failure
}

// made returns the counts without what differs between runs: whether a fault bit, and whether there was a leader
// or a quorum for it, or an earlier fault was undone, at that moment. Two runs of one seed are equal only as far
// as package virtual promises.
func made(faults map[fault.Kind]chaos.Count) map[fault.Kind]chaos.Count {
	counts := make(map[fault.Kind]chaos.Count)
	for kind, c := range faults {
		counts[kind] = chaos.Count{Made: c.Made + c.NoQuorum + c.InTheWay, Unsupported: c.Unsupported, NotDue: c.NotDue}
	}
	return counts
}

var _ = Describe("A schedule as a spec", func() {
	It("is judged as the run was, and makes what the run made", func(ctx SpecContext) {
		var schedules []chaos.Schedule
		for seed := range uint64(printedSeeds) {
			schedules = append(schedules, chaos.Draw(seed+1, chaos.Virtual()))
		}
		removed := one(at(2*time.Second, 20*time.Second, fault.Fault{Kind: "cut one way", Links: oneLink(0, 2)}),
			at(5*time.Second, 30*time.Second, fault.Fault{Kind: "remove a node", Node: 2}))
		bounded := ofAllKinds()
		bounded.Most = 7
		schedules = append(schedules, removed, ofAllKinds(), bounded)
		var specs []string
		var want []verdict
		for _, s := range schedules {
			v, failure := run(ctx, s, virtual.New(virtual.Options{}))
			Expect(failure).NotTo(HaveOccurred(), "%v", s)
			specs, want = append(specs, specOf(s)), append(want, v)
		}
		skipping := 0
		for i, v := range play(ctx, specs) {
			Expect(v.failed).To(BeFalse(), "%v", schedules[i])
			Expect(made(v.faults)).To(Equal(made(want[i].faults)), "%v", schedules[i])
			if reflect.DeepEqual(schedules[i].Faults, removed.Faults) { // nothing is left to chance here
				Expect(v.faults).To(HaveLen(2))
				Expect(v.faults["remove a node"].Made).To(Equal(want[i].faults["remove a node"].Made))
				Expect(v.faults["cut one way"].Made).To(Equal(want[i].faults["cut one way"].Made))
			}
			for _, c := range v.faults {
				if c.NotMade() > 0 {
					skipping++
					break
				}
			}
		}
		Expect(skipping).To(BeNumerically(">", 2), "some schedule skips a fault")
	}, SpecTimeout(5*time.Minute))

	It("fails as the run failed", func(ctx SpecContext) {
		d, err := defects.Find(bug)
		Expect(err).NotTo(HaveOccurred())
		t, err := d.Plant(virtual.New(virtual.Options{}))
		Expect(err).NotTo(HaveOccurred())
		s := one(at(5*time.Second, 20*time.Second, fault.Fault{Kind: "isolate", Node: 1}))
		s.Workloads, s.Rate = []string{"ddl"}, 5
		want, failure := run(ctx, s, t)
		Expect(failure).To(HaveField("Broken", chaos.Safety))
		sick, err := chaos.Spec(s, broken)
		Expect(err).NotTo(HaveOccurred())
		verdicts := play(ctx, []string{sick, specOf(s)})
		Expect(verdicts[0].failed).To(BeTrue())
		Expect(made(verdicts[0].faults)).To(Equal(made(want.faults)))
		Expect(verdicts[1].failed).To(BeFalse(), "the schedule passes without the bug")
	}, patience)

	It("names its seed, its faults and its place", func() {
		s := one(chaos.Entry{Fault: fault.Fault{Kind: "crash"}}, chaos.Entry{Fault: fault.Fault{Kind: "cut one way", Links: oneLink(0, 2)}})
		s.Seed = 17
		Expect(specOf(s)).To(MatchRegexp(`(?s)^// Found with seed 17.\nIt\("keeps its promises over: crash, cut one way", ` +
			`virtual.Bubble\(\), func.*chaos.Boot\(ctx, virtual.New\(`))
	})
})

// printedSeeds is how many drawn schedules are printed and run.
const printedSeeds = 12
