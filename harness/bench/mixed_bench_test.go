//go:build bench

package bench

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
)

// mixedFor is the duration of the mixed load: go tool ginkgo --tags bench --timeout=1h --focus="mixed load"
// ./harness/bench -- -mixed-for=30m
var mixedFor = flag.Duration("mixed-for", time.Minute, "duration of the mixed load")

// With these settings, nodes take a snapshot every few seconds of the load.
const mixedThreshold, mixedTrailing = 8192, 10240

// bootFiles boots three processes and returns the folder with their files.
func bootFiles(ctx SpecContext) (c target.Cluster, dir string) {
	GinkgoHelper()
	binary, err := gexec.Build(process.Package)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(gexec.CleanupBuildArtifacts)
	options := process.FromSettings(cluster, func() string { return binary })
	dir = GinkgoT().TempDir()
	options.Nodes.Dir = dir
	options.Nodes.SnapshotThreshold, options.Nodes.TrailingLogs = mixedThreshold, mixedTrailing
	options.Nodes.WriteTimeout, options.Nodes.ElectionTimeout = 10*time.Second, 250*time.Millisecond
	c, err = process.New(options).Boot(ctx, 3)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c, dir
}

// ask runs a statement on a node and reads the whole result.
func ask(ctx context.Context, node target.Node, request target.Request) error {
	rows, err := node.Client().Query(ctx, request)
	if err != nil {
		return err
	}
	for rows.NextResult() {
		for rows.Next() {
		}
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close()
		return err
	}
	return rows.Close()
}

// leaderOf waits until a node of the cluster leads, and returns its index.
func leaderOf(ctx context.Context, c target.Cluster) (leader int) {
	GinkgoHelper()
	Eventually(ctx, func() (found bool) {
		for i, node := range c.Nodes() {
			if s, err := node.Status(ctx); err == nil && s.State == target.Online && s.Role == "leader" {
				leader, found = i, true
			}
		}
		return found
	}).WithTimeout(10 * time.Second).Should(BeTrue())
	return leader
}

// sampled is the resource use of a node at one time. Memory and disk use are in MiB.
type sampled struct {
	memory, log, snapshots, state float64
	files                         int // open file descriptors
}

func (s *sampled) highest(o sampled) {
	s.memory, s.log = max(s.memory, o.memory), max(s.log, o.log)
	s.snapshots, s.state, s.files = max(s.snapshots, o.snapshots), max(s.state, o.state), max(s.files, o.files)
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// sample measures a node whose files are below dir.
func sample(ctx context.Context, node target.Node, dir string) (s sampled) {
	if status, err := node.Status(ctx); err == nil {
		s.memory = mib(int64(status.Memory))
	}
	use := func(folder string) float64 {
		var bytes int64
		found, _ := filepath.Glob(filepath.Join(dir, "*", node.ID(), folder))
		for _, at := range found {
			_ = filepath.WalkDir(at, func(_ string, entry fs.DirEntry, err error) error {
				if err == nil && !entry.IsDir() {
					if info, err := entry.Info(); err == nil {
						bytes += info.Size()
					}
				}
				return nil
			})
		}
		return mib(bytes)
	}
	s.log, s.snapshots, s.state = use("log"), use("snapshots"), use("state")
	s.files = descriptors(ctx, node)
	return s
}

// descriptors returns the number of open file descriptors of a node's process; 0 if unknown.
func descriptors(ctx context.Context, node target.Node) int {
	pid := pidOf(ctx, node)
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if pid == 0 || err != nil {
		return 0
	}
	return len(open)
}

// pidOf finds the child process that listens on the node's port; 0 if there is none.
func pidOf(ctx context.Context, node target.Node) int {
	status, err := node.Status(ctx)
	if err != nil {
		return 0
	}
	_, port, _ := strings.Cut(status.Address, ":")
	number, _ := strconv.Atoi(port)
	table, _ := os.ReadFile("/proc/net/tcp")
	inode := ""
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", number)) {
			inode = "socket:[" + f[9] + "]"
		}
	}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, at := range processes {
		pid, _ := strconv.Atoi(filepath.Base(at))
		stat, err := os.ReadFile(at + "/stat")
		if err != nil || !strings.Contains(string(stat), fmt.Sprintf(" %d ", os.Getpid())) {
			continue
		}
		links, _ := filepath.Glob(at + "/fd/*")
		for _, link := range links {
			if to, _ := os.Readlink(link); to == inode && inode != "" {
				return pid
			}
		}
	}
	return 0
}

var _ = Describe("nodes under mixed load", Serial, Ordered, func() {
	It("do not use more memory, log and files over time", func(ctx SpecContext) {
		c, dir := bootFiles(ctx)
		leaderOf(ctx, c)
		load := &mixedLoad{cluster: c}
		load.must(ctx, "CREATE TABLE small (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE large (id INTEGER PRIMARY KEY, v BLOB)")
		length := *mixedFor
		samples := load.run(ctx, length, dir)

		const steady = 2 // the first two nodes; the last one is restarted
		fmt.Printf("\n%d operations, %d failed\n%s", load.done.Load(), load.failed.Load(), table(samples, length))
		Expect(load.done.Load()).To(BeNumerically(">", int64(length/time.Second)*5))
		e := gmeasure.NewExperiment("mixed")
		for node := range steady {
			of := samples[node]
			early, late := of[len(of)/4:len(of)/2], of[3*len(of)/4:]
			memory := func(s sampled) float64 { return s.memory }
			e.RecordValue("mixed load: memory of the last quarter to that of the second", median(late, memory)/median(early, memory))
			files := median(late, func(s sampled) float64 { return float64(s.files) })
			Expect(files).To(BeNumerically("<", 256), "one file per 4 MiB of log, and connections")
			for _, s := range of {
				e.RecordValue("mixed load: highest resident memory", s.memory)
				e.RecordValue("mixed load: log on disk", s.log)
				e.RecordValue("mixed load: snapshots on disk", s.snapshots)
			}
		}
		record(e, "mixed load: memory of the last quarter to that of the second", "1.1 times", "times")
		record(e, "mixed load: highest resident memory", "256 MiB", "MiB")
		record(e, "mixed load: log on disk", "256 MiB", "MiB")
		record(e, "mixed load: snapshots on disk", "64 MiB", "MiB")
	}, NodeTimeout(3*time.Hour))

	It("bring back a node that missed 64 rows of 8 MiB", func(ctx SpecContext) {
		const name = "processes: 64 rows of 8 MiB written while a node was away: from exec to applied"
		const memory = "processes: highest resident memory of a node meanwhile"
		c, _ := bootFiles(ctx)
		leader := leaderOf(ctx, c)
		load := &mixedLoad{cluster: c}
		load.must(ctx, "CREATE TABLE large (id INTEGER PRIMARY KEY, v BLOB)")
		away := (leader + 1) % 3
		starter, is := target.As[target.Starter](c)
		Expect(is).To(BeTrue())
		e := gmeasure.NewExperiment(name)
		value := make([]byte, 8<<20)
		e.Sample(func(int) {
			Expect(starter.Crash(ctx, away)).To(Succeed())
			for i := range 64 {
				value[i] = byte(i)
				request := target.Request{SQL: "REPLACE INTO large VALUES (1, ?)", Params: []any{value}}
				Expect(ask(ctx, c.Nodes()[leader], request)).To(Succeed())
			}
			written, err := c.Nodes()[leader].Status(ctx)
			Expect(err).NotTo(HaveOccurred())
			e.MeasureDuration(name, func() {
				Expect(starter.Start(ctx, away)).To(Succeed())
				status := func() (target.Status, error) { return c.Nodes()[away].Status(ctx) }
				Eventually(ctx, status).WithPolling(5 * time.Millisecond).WithTimeout(time.Minute).Should(
					And(HaveField("State", target.Online), HaveField("AppliedIndex", BeNumerically(">=", written.AppliedIndex))))
			})
			for _, node := range c.Nodes() {
				e.RecordValue(memory, peak(ctx, node))
			}
		}, gmeasure.SamplingConfig{N: 3})
		record(e, name, "5,000 ms", "ms")
		record(e, memory, "256 MiB", "MiB")
	}, NodeTimeout(20*time.Minute))
})

// peak returns the highest resident memory of the node's process so far, in MiB.
func peak(ctx context.Context, node target.Node) float64 {
	GinkgoHelper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pidOf(ctx, node)))
	Expect(err).NotTo(HaveOccurred())
	for line := range strings.Lines(string(text)) {
		if rest, is := strings.CutPrefix(line, "VmHWM:"); is {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			Expect(err).NotTo(HaveOccurred())
			return float64(kib) / 1024
		}
	}
	return 0
}

func median(of []sampled, what func(sampled) float64) float64 {
	var values []float64
	for _, s := range of {
		values = append(values, what(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// mixedLoad is a load that keeps the amount of data constant.
type mixedLoad struct {
	cluster      target.Cluster
	done, failed atomic.Int64
}

func (l *mixedLoad) must(ctx context.Context, sql string) {
	GinkgoHelper()
	try := func() error { return ask(ctx, l.cluster.Nodes()[0], target.Request{SQL: sql}) }
	Eventually(ctx, try).WithTimeout(10 * time.Second).Should(Succeed())
}

// run runs the load for length and samples all nodes once a second.
func (l *mixedLoad) run(ctx context.Context, length time.Duration, dir string) [3][]sampled {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() { l.small(ctx, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	clients.Go(func() { l.every(ctx, 250*time.Millisecond, l.large()) })
	clients.Go(func() { l.every(ctx, 500*time.Millisecond, l.schema()) })
	clients.Go(func() { l.every(ctx, time.Second, l.deletes()) })
	clients.Go(func() { l.restarts(ctx) })
	var samples [3][]sampled
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for i, node := range l.cluster.Nodes() {
				samples[i] = append(samples[i], sample(ctx, node, dir))
			}
		case <-ctx.Done():
			clients.Wait()
			return samples
		}
	}
}

// do runs a request and counts it as done or failed. Restarts make some fail.
func (l *mixedLoad) do(ctx context.Context, node int, request target.Request) {
	if err := ask(ctx, l.cluster.Nodes()[node], request); err == nil {
		l.done.Add(1)
	} else if ctx.Err() == nil {
		l.failed.Add(1)
	}
}

// small writes and reads rows of some hundred bytes on random nodes.
func (l *mixedLoad) small(ctx context.Context, random *rand.Rand) {
	consistencies := []target.Consistency{target.Local, target.Strong, target.Default}
	for ctx.Err() == nil {
		node, id := random.IntN(3), random.Int64N(20_000)
		if random.IntN(3) == 0 {
			query := target.Request{SQL: "SELECT id, v FROM small WHERE id BETWEEN ? AND ?", Params: []any{id, id + 100}}
			query.Consistency = consistencies[random.IntN(3)]
			l.do(ctx, node, query)
		} else {
			value := strings.Repeat("x", 50+random.IntN(500))
			l.do(ctx, node, target.Request{SQL: "REPLACE INTO small VALUES (?, ?)", Params: []any{id, value}})
		}
	}
}

func (l *mixedLoad) every(ctx context.Context, pause time.Duration, do func(ctx context.Context)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			do(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// large writes rows of up to 2 MiB.
func (l *mixedLoad) large() func(context.Context) {
	random := rand.New(rand.NewPCG(2, 2))
	return func(ctx context.Context) {
		value := make([]byte, 1+random.IntN(2<<20))
		l.do(ctx, random.IntN(3), target.Request{SQL: "REPLACE INTO large VALUES (?, ?)", Params: []any{random.Int64N(8), value}})
	}
}

func (l *mixedLoad) schema() func(context.Context) {
	n := 0
	return func(ctx context.Context) {
		n++
		sql := fmt.Sprintf("CREATE TABLE of_%d (a, b); CREATE INDEX by_%d ON of_%d (b); INSERT INTO of_%d VALUES (1, 2); "+
			"DROP TABLE IF EXISTS of_%d", n, n, n, n, n-3)
		l.do(ctx, n%3, target.Request{SQL: sql})
	}
}

func (l *mixedLoad) deletes() func(context.Context) {
	n := int64(0)
	return func(ctx context.Context) {
		n++
		l.do(ctx, int(n%3), target.Request{SQL: "DELETE FROM small WHERE id % 20 = ?", Params: []any{n % 20}})
	}
}

// restarts periodically stops or crashes the last node for 3 s.
func (l *mixedLoad) restarts(ctx context.Context) {
	starter, is := target.As[target.Starter](l.cluster)
	if !is {
		return
	}
	const last = 2
	n := 0
	l.every(ctx, 20*time.Second, func(ctx context.Context) {
		stop := starter.Stop
		if n++; n%2 == 0 {
			stop = starter.Crash
		}
		if stop(ctx, last) != nil {
			return
		}
		away := time.NewTimer(3 * time.Second)
		defer away.Stop()
		select {
		case <-away.C:
		case <-ctx.Done():
		}
		_ = starter.Start(context.WithoutCancel(ctx), last)
	})
}

// table formats the maximum resource use of the nodes in each tenth of the time.
func table(samples [3][]sampled, length time.Duration) string {
	var b strings.Builder
	fmt.Fprintln(&b, "until      node  memory MiB  log MiB  snapshots MiB  state MiB  files")
	const parts = 10
	for part := range parts {
		for node, of := range samples {
			var most sampled
			for _, s := range of[part*len(of)/parts : (part+1)*len(of)/parts] {
				most.highest(s)
			}
			until := (length * time.Duration(part+1) / parts).Round(time.Second)
			fmt.Fprintf(&b, "%-9v  n%d    %10.0f  %7.0f  %13.0f  %9.0f  %5d\n",
				until, node, most.memory, most.log, most.snapshots, most.state, most.files)
		}
	}
	return b.String()
}
