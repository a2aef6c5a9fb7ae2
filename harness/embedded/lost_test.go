package embedded_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/durable"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// sweepsAll reports whether the sweeps are exhaustive. See also durable.
func sweepsAll() bool { return os.Getenv("SWEEP") != "" }

// loss is a change to a node's directory while the node does not run. do reports whether it changed
// anything.
type loss struct {
	name string
	do   func(dir string) bool
}

// safeFiles returns the files that a node must not lose, in order.
func safeFiles(dir string) (names []string) {
	GinkgoHelper()
	for _, pattern := range []string{disk.PromiseFile, "log/*", "snapshots/*"} {
		names = append(names, must(filepath.Glob(filepath.Join(dir, pattern)))...)
	}
	return names
}

// losses returns losses of each file, of regions of each file and of the folders. older is an earlier
// copy of the directory.
func losses(dir, older string, regions int) (all []loss) {
	GinkgoHelper()
	add := func(name string, do func(dir string) bool) { all = append(all, loss{name, do}) }
	for _, file := range safeFiles(dir) {
		name := must(filepath.Rel(dir, file))
		change := func(what string, content func(old []byte) []byte) {
			add(name+" "+what, func(dir string) bool {
				file := filepath.Join(dir, name)
				old := must(os.ReadFile(file))
				changed := content(bytes.Clone(old))
				Expect(os.WriteFile(file, changed, 0o600)).To(Succeed())
				return !bytes.Equal(old, changed)
			})
		}
		add(name+" is gone", func(dir string) bool { return os.Remove(filepath.Join(dir, name)) == nil })
		change("is empty", func([]byte) []byte { return nil })
		change("is zeros", func(old []byte) []byte { return make([]byte, len(old)) })
		for i := range regions {
			at := func(old []byte) int {
				used := len(bytes.TrimRight(old, "\x00"))
				return used * (2*i + 1) / (2 * regions)
			}
			where := fmt.Sprintf("at %d/%d of it", 2*i+1, 2*regions)
			change("is cut "+where, func(old []byte) []byte { return old[:at(old)] })
			change("is zeros from "+where, func(old []byte) []byte { clear(old[at(old):]); return old })
			change("has a bit flipped "+where, func(old []byte) []byte { old[at(old)] ^= 1 << (i % 8); return old })
		}
		add(name+" is an older one", func(dir string) bool {
			was, err := os.ReadFile(filepath.Join(older, name))
			return err == nil && os.WriteFile(filepath.Join(dir, name), was, 0o600) == nil
		})
	}
	for _, folder := range []string{disk.LogDir, disk.SnapshotDir} {
		add("the folder "+folder+" is gone", func(dir string) bool { return os.RemoveAll(filepath.Join(dir, folder)) == nil })
		add("the folder "+folder+" is an older one", func(dir string) bool {
			return os.RemoveAll(filepath.Join(dir, folder)) == nil && copyIfThere(filepath.Join(older, folder), filepath.Join(dir, folder)) == nil
		})
	}
	add("both folders are gone", func(dir string) bool {
		return errors.Join(os.RemoveAll(filepath.Join(dir, disk.LogDir)), os.RemoveAll(filepath.Join(dir, disk.SnapshotDir))) == nil
	})
	return all
}

func copyIfThere(from, to string) error {
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return os.CopyFS(to, os.DirFS(from))
}

// saved copies the durable files of a directory, and returns the copy.
func saved(dir string) string {
	GinkgoHelper()
	to := filepath.Join(GinkgoT().TempDir(), "saved")
	putBack(dir, to)
	return to
}

func putBack(from, to string) {
	GinkgoHelper()
	for _, name := range []string{disk.LogDir, disk.SnapshotDir} {
		Expect(os.RemoveAll(filepath.Join(to, name))).To(Succeed())
		Expect(copyIfThere(filepath.Join(from, name), filepath.Join(to, name))).To(Succeed())
	}
	Expect(os.MkdirAll(to, 0o700)).To(Succeed())
	content := must(os.ReadFile(filepath.Join(from, disk.PromiseFile)))
	Expect(os.WriteFile(filepath.Join(to, disk.PromiseFile), content, 0o600)).To(Succeed())
}

// refusedCleanly expects the error of Start to be one line that names a file in the directory and says
// what to do.
func refusedCleanly(err error, dir string) {
	GinkgoHelper()
	var damage *durable.DamageError
	var lost *durable.LostError
	Expect(errors.As(err, &damage) || errors.As(err, &lost)).To(BeTrue(), "%v", err)
	Expect(err.Error()).To(And(ContainSubstring(dir), ContainSubstring("replace the node: remove it as a member")))
	Expect(err.Error()).NotTo(Or(ContainSubstring("\n"), ContainSubstring("%!"), ContainSubstring("closed")))
}

var _ = Describe("A node that has lost durable data while it was down", func() {
	It("refuses to start, with the name of a file, or serves all data", func(ctx SpecContext) {
		regions := 2
		if sweepsAll() {
			regions = 16
		}
		c := boot(1, snapshots(1<<20, 4))
		c.leader(ctx)
		c.session(0).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		fill(ctx, c.session(0), 0, 5)
		Expect(c.nodes[0].Snapshot(ctx)).To(Succeed())
		fill(ctx, c.session(0), 5, 8)
		Expect(c.nodes[0].Close()).To(Succeed())
		older := saved(c.configs[0].Dir)
		c.start(0)
		c.leader(ctx)
		fill(ctx, c.session(0), 8, 14)
		Expect(c.nodes[0].Snapshot(ctx)).To(Succeed())
		const rows = 20
		fill(ctx, c.session(0), 14, rows)
		Expect(c.nodes[0].Close()).To(Succeed())
		whole := saved(c.configs[0].Dir)

		refused, served := 0, 0
		for _, loss := range losses(whole, older, regions) {
			By(loss.name)
			putBack(whole, c.configs[0].Dir)
			if !loss.do(c.configs[0].Dir) {
				continue
			}
			node, err := embedded.Start(c.configs[0])
			if err != nil {
				refusedCleanly(err, c.configs[0].Dir)
				refused++
				continue
			}
			c.nodes[0] = node
			consistency := "local"
			if strings.HasPrefix(loss.name, disk.PromiseFile) { // its commit index may be lower, as after a power loss
				consistency = "strong"
			}
			Expect(c.session(0).count(ctx, consistency, "t")).To(Equal(rows), loss.name)
			Expect(node.Close()).To(Succeed())
			served++
		}
		AddReportEntry("nodes", fmt.Sprintf("%d refused, %d served everything", refused, served))
		Expect(refused).To(BeNumerically(">", 2*served))
		putBack(whole, c.configs[0].Dir)
		c.start(0)
		c.leader(ctx)
		c.session(0).works(ctx)
	})

	It("does not cost the cluster a row, even if two nodes are affected", func(ctx SpecContext) {
		c := boot(3, func(c *embedded.Config) { c.Disk = disk.Files(c.Dir) })
		leader := c.leader(ctx)
		c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		away := c.but(leader)[0]
		had := c.but(away)
		fill(ctx, c.session(leader), 0, 10)
		c.converge(ctx)
		Expect(c.nodes[away].Close()).To(Succeed())
		const rows = 25
		fill(ctx, c.session(leader), 10, rows)
		for _, i := range had {
			Eventually(ctx, func() uint64 { return c.nodes[i].Health().AppliedIndex }).Should(Equal(c.nodes[leader].Health().AppliedIndex))
		}
		for _, i := range had {
			Expect(c.nodes[i].Close()).To(Succeed())
		}
		whole := make([]string, 3)
		for i := range whole {
			whole[i] = saved(c.configs[i].Dir)
		}

		parts := []fault.Part{fault.LogEnd, fault.LogFile, fault.LogFolder}
		faults := [][]int{{had[0]}, {had[0], had[1]}, {had[1], away}}
		if !sweepsAll() {
			parts, faults = parts[:2], faults[:2]
		}
		lost := 0
		for _, part := range parts {
			for _, faulty := range faults {
				By(fmt.Sprintf("the %s of %v", part, faulty))
				for i := range whole {
					putBack(whole[i], c.configs[i].Dir)
				}
				for _, i := range faulty {
					must(c.configs[i].Disk.Damage(part))
				}
				up := c.startsOf(faulty)
				if len(up) > 1 {
					leader := c.leader(ctx, up...)
					Expect(c.session(leader).count(ctx, "strong", "t")).To(Equal(rows))
				}
				lost += len(faulty)
				for _, i := range up {
					Expect(c.nodes[i].Close()).To(Succeed())
				}
			}
		}
		AddReportEntry("clusters", fmt.Sprintf("%d pairs of nodes, %d logs lost", len(parts)*len(faults), lost))
		for i := range whole {
			putBack(whole[i], c.configs[i].Dir)
		}
		c.startAll()
		c.leader(ctx)
		c.converge(ctx)
	})

	It("can be replaced by a new member, which catches up", func(ctx SpecContext) {
		c := boot(3, func(c *embedded.Config) { c.Disk = disk.Files(c.Dir) })
		leader := c.leader(ctx)
		c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		fill(ctx, c.session(leader), 0, 10)
		victim := c.but(leader)[0]
		Expect(c.nodes[victim].Close()).To(Succeed())
		file := must(c.configs[victim].Disk.Damage(fault.LogFile))
		_, err := embedded.Start(c.configs[victim])
		refusedCleanly(err, file)
		_, err = embedded.Start(c.configs[victim])
		refusedCleanly(err, file)
		fill(ctx, c.session(leader), 10, 15)
		Expect(c.nodes[leader].RemoveMember(ctx, c.configs[victim].ID)).To(Succeed())
		Expect(c.configs[victim].Disk.Wipe()).To(Succeed())
		c.configs[victim].Peers = nil
		c.start(victim)
		Expect(c.nodes[leader].AddMember(ctx, embedded.Member{
			ID: c.configs[victim].ID, Address: c.hosts[victim].Addr(), Voter: true,
		})).To(Succeed())
		c.leader(ctx)
		c.converge(ctx)
		Expect(c.session(victim).count(ctx, "local", "t")).To(Equal(15))
	})
})

// startsOf starts all nodes, expects the faulty ones to refuse, and returns the ones that run.
func (c *cluster) startsOf(faulty []int) (up []int) {
	GinkgoHelper()
	for i := range c.configs {
		node, err := embedded.Start(c.configs[i])
		if !slices.Contains(faulty, i) {
			Expect(err).NotTo(HaveOccurred())
		}
		if err != nil {
			refusedCleanly(err, c.configs[i].Dir)
			continue
		}
		Expect(faulty).NotTo(ContainElement(i), "node %d starts without its log", i)
		c.nodes[i] = node
		up = append(up, i)
	}
	return up
}

var _ = Describe("A node whose disk is full", func() {
	It("reports that it needs free space, not that it must be replaced", func(ctx SpecContext) {
		c := boot(1, func(c *embedded.Config) { c.Disk = disk.Files(c.Dir) })
		c.leader(ctx)
		c.session(0).works(ctx)
		c.configs[0].Disk.Set(fault.Disk{Full: true})
		a := c.session(0).do(ctx, "", "INSERT INTO works DEFAULT VALUES")
		Expect(a.HTTP).To(Equal(http.StatusServiceUnavailable))
		Expect(a.Error.Code).To(Equal(embedded.CodeFailed))
		Eventually(ctx, c.nodes[0].Health).Should(HaveField("State", embedded.Failed))
		reason := c.nodes[0].Health().Reason
		Expect(reason).To(And(ContainSubstring("free space"), ContainSubstring("restart the node"), ContainSubstring("log/")))
		Expect(reason).NotTo(ContainSubstring("replaced"))
		Expect(c.nodes[0].Close()).To(Succeed())

		c.configs[0].Disk.Set(fault.Disk{})
		c.start(0)
		c.leader(ctx)
		c.session(0).works(ctx)
	})

	It("reports it when it cannot start", func() {
		c := boot(1, func(c *embedded.Config) { c.Disk = disk.Files(c.Dir) })
		Expect(c.nodes[0].Close()).To(Succeed())
		Expect(c.configs[0].Disk.Wipe()).To(Succeed())
		c.configs[0].Disk.Set(fault.Disk{Full: true})
		_, err := embedded.Start(c.configs[0])
		Expect(err).To(MatchError(And(ContainSubstring("free some space"), ContainSubstring(c.configs[0].Dir))))
		Expect(strings.Count(err.Error(), "\n")).To(BeZero())
	})
})
