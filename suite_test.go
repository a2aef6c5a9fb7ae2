// Raft draws its timeouts from math/rand, which a seed reaches only with this.
//
//go:debug randseednop=0
package rejoin_test

import (
	"context"
	"flag"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target/plain"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/specs"
)

var clusterFlags = settings.Flags(flag.CommandLine)

func TestRejoin(t *testing.T) {
	suite := specs.Load(t, clusterFlags, settings.Targets("local", "virtual", "process", "hosts"), settings.Described(),
		settings.Defects(defects.Names()...))
	suite.FailOnEmpty = true // a filter that leaves no spec is a mistake
	cluster := suite.Settings.Cluster
	if cluster.Target == "hosts" {
		if err := hosts.Supported(); err != nil {
			t.Fatal(err)
		}
	}
	if cluster.Target == "virtual" {
		suite.Again = func(seed int64, text, journal string) string {
			if text == "" {
				return "" // the page knows the command
			}
			spec := again.Spec{Seed: seed, Text: text, Journal: journal, Cluster: cluster}
			return strings.TrimSpace(spec.Line() + "\n" + again.Doubt())
		}
	}
	suite.Settings.Cluster = slowedByRaceDetector(cluster)
	specs.Register(plant(t, suite.Settings))
	ReportAfterSuite("labels", listed)
	suite.Run(t, "Rejoin")
}

// labels are those of the specs. go tool ginkgo labels finds them here.
var labels = Label(
	"fault:bandwidth", "fault:clock", "fault:crash", "fault:disk", "fault:isolate", "fault:link", "fault:pause",
	"fault:stop", "fault:wipe", "needs:clocks", "needs:compacts", "needs:diverge", "needs:drains", "needs:fail-stop",
	"needs:http", "needs:members", "needs:sqlite", "needs:transactions", "needs:versions", "speed:slow",
	"suite:address", "suite:all-offline", "suite:answers", "suite:answers-altered", "suite:answers-together",
	"suite:answers-values", "suite:availability", "suite:away", "suite:basics", "suite:cascade", "suite:changes",
	"suite:clocks", "suite:comparing", "suite:concurrency", "suite:crash", "suite:directions", "suite:disks",
	"suite:diverging", "suite:failing", "suite:flags", "suite:fresh", "suite:frozen", "suite:health", "suite:histories",
	"suite:hostile", "suite:identity", "suite:isolation", "suite:judging", "suite:keys", "suite:large-rows",
	"suite:leaks", "suite:leaving", "suite:limits", "suite:links", "suite:lost-log", "suite:members",
	"suite:membership", "suite:minority", "suite:misuse", "suite:modes", "suite:moved", "suite:names",
	"suite:namespaces", "suite:packets", "suite:pressure", "suite:promises", "suite:quorums", "suite:reads",
	"suite:recovery", "suite:removed", "suite:replication", "suite:restored", "suite:restored-members", "suite:retry",
	"suite:rolling", "suite:sizes", "suite:skip", "suite:slow-clients", "suite:snapshot", "suite:story",
	"suite:strangers", "suite:sums", "suite:time", "suite:together", "suite:tokens", "suite:upgrade", "suite:values",
)

// listed is a check, at the end of a run, that labels names the labels of all specs and no others.
func listed(report Report) {
	var all []string
	for _, spec := range report.SpecReports {
		all = append(all, spec.Labels()...)
	}
	slices.Sort(all)
	Expect(labels).To(ConsistOf(slices.Compact(all)), "the list of labels in suite_test.go")
}

// slowedByRaceDetector are the settings with longer timers for nodes in this process under the race detector. It slows them several
// times: with timers for their usual speed, nodes on a busy machine elect leaders without end.
func slowedByRaceDetector(cluster settings.Cluster) settings.Cluster {
	const times = 2
	info, known := debug.ReadBuildInfo()
	if cluster.Target == "local" && known && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		cluster.ElectionTimeout *= times
	}
	return cluster
}

// plant is what the suite runs on, with the bug in it that the settings name.
func plant(t *testing.T, loaded settings.Settings) specs.Options {
	o, cluster := options(t, loaded), loaded.Cluster
	if cluster.Defect == settings.Default().Cluster.Defect {
		return o
	}
	defect, err := defects.Find(cluster.Defect)
	if err != nil {
		t.Fatal(err)
	}
	if o.Target, err = defect.Plant(o.Target); err != nil {
		t.Fatal(err)
	}
	o.Cluster = defect.Options()
	if cluster.Target == "virtual" {
		o.Decorators = []any{virtual.Bubble(append(bubble(loaded), virtual.RealLimit(longestWithBug))...)}
	}
	return o
}

// longestWithBug is how much real time a step of a spec in virtual time may take where a
// bug may make it hang. Without a bug none takes more than a few seconds.
const longestWithBug = 20 * time.Second

func options(t *testing.T, loaded settings.Settings) specs.Options {
	cluster := loaded.Cluster
	o := specs.Options{Nodes: cluster.Nodes, Limits: limits}
	o.Limits.Body = cluster.MaxBody
	o.Pace = specs.Pace{Election: cluster.ElectionTimeout, Write: cluster.WriteTimeout}
	switch cluster.Target {
	case "local":
		o.Target = local.New(guarded(local.FromSettings(cluster, GinkgoWriter)))
	case "virtual":
		runtime.GOMAXPROCS(1)    // nearly all there is to making a seed repeat, and no slower
		debug.SetGCPercent(1000) // the heap is small, and a spec short
		nodes := virtual.FromSettings(cluster, GinkgoWriter)
		nodes.Nodes = guarded(nodes.Nodes)
		o.Target = virtual.New(nodes)
		o.Decorators = []any{virtual.Bubble(bubble(loaded)...)}
	case "process", "hosts":
		node, older := buildNode()
		nodes := process.FromSettings(cluster, node)
		nodes.Versions = []process.Version{{Name: olderVersion, Binary: older}}
		nodes.Nodes = guarded(nodes.Nodes)
		o.Target = process.New(nodes)
		if cluster.Target == "hosts" {
			o.Target = process.OnHosts(nodes)
		}
	default:
		return described(t, loaded)
	}
	return o
}

// described are the options for a target that ginkgo.yml describes. The suite does not know its limits.
func described(t *testing.T, loaded settings.Settings) specs.Options {
	over, about, alone, err := plain.New(loaded)
	if err != nil {
		t.Fatal(err)
	}
	o := specs.Options{Target: over, Nodes: loaded.Cluster.Nodes, Pace: specs.Pace(about.Pace)}
	if alone {
		o.Nodes, o.Decorators = len(about.Nodes), []any{Serial}
	}
	return o
}

// limits are those of the suite's nodes: lower ones of statements than nodes have by
// themselves, so that a spec reaches them soon.
var limits = specs.Limits{
	Steps: 20_000_000, ReadSteps: 30_000_000, Memory: 24 << 20, ReadMemory: 24 << 20, Answer: 2 << 20, Value: 20 << 20,
	Readers: 4, Request: 10 * time.Second, Read: 30 * time.Second, Idle: 2 * time.Minute,
}

// guarded are the options with a token and with limits.
func guarded(o local.Options) local.Options {
	o.Token = "a token of the suite"
	o.Machine = machine.Options{
		Budget: limits.Steps, ReadBudget: limits.ReadSteps, Memory: limits.Memory, ReadMemory: limits.ReadMemory,
		AnswerLimit: limits.Answer, Readers: limits.Readers,
	}
	return o
}

// bubble is how the settings want the bubble of each spec.
func bubble(loaded settings.Settings) []virtual.Option {
	return append(virtual.Interleaved(loaded.Cluster), virtual.Decisions(loaded.Suite.Decisions))
}

// olderVersion is what a second build of the nodes' program calls itself, for the specs of several versions. There is no
// older release; its source is that of today.
const olderVersion = "0.0.0"

// buildNode has the nodes' program built once, before the first spec, and once more as olderVersion. It returns where to
// find them from then on: Ginkgo's first process builds them for all.
func buildNode() (path, older func() string) {
	var binaries []string
	var removals []func() error
	SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
		for _, build := range []func(context.Context) (string, func() error, error){
			process.Build, func(ctx context.Context) (string, func() error, error) { return process.BuildAs(ctx, olderVersion) },
		} {
			built, remove, err := build(ctx)
			Expect(err).NotTo(HaveOccurred())
			binaries, removals = append(binaries, built), append(removals, remove)
		}
		return []byte(strings.Join(binaries, "\n"))
	}, func(built []byte) { binaries = strings.Split(string(built), "\n") })
	SynchronizedAfterSuite(func() {}, func() {
		for _, remove := range removals {
			Expect(remove()).To(Succeed())
		}
	})
	return func() string { return binaries[0] }, func() string { return binaries[1] }
}
