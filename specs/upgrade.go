package specs

import (
	"context"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// upgrades are specs of clusters whose nodes run several versions.
func upgrades(env *environment) {
	Describe("Several versions", Label("suite:upgrade", "fault:stop", "needs:versions"), func() {
		var versions []string

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Stop, target.Versions)
			if versions = env.upgrader().Versions(); len(versions) < 2 {
				Skip(fmt.Sprintf("the target has one version only: %s", versions[0]))
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		It("are rolled out node by node, back and forth, under load", func(ctx SpecContext) {
			const writers = 6
			load := env.load(ctx, writers, env.cluster.ExecuteWithRetry)
			older := slices.Clone(versions[:len(versions)-1])
			slices.Reverse(older)
			steps := slices.Concat(older, versions[1:]) // down to the oldest, and up again
			for _, version := range steps {
				By("giving every node version " + version)
				for node := range env.cluster.Size() {
					load.goesOn(ctx)
					env.leave(ctx, node, fault.Stop)
					load.goesOn(ctx)
					env.becomes(ctx, node, version)
					env.comeBack(ctx, node)
				}
			}
			load.goesOn(ctx)
			unknown, refused := load.verify(ctx, 2*writers*env.cluster.Size())
			if env.holds(target.Drains) {
				Expect(unknown).To(BeZero(), "writes with an unknown outcome")
				Expect(refused).To(BeZero(), "writes that failed")
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.entries")))
		}, env.patience)

		It("make one cluster, whichever of them leads", func(ctx SpecContext) {
			env.requires(target.Crash)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			oldest, latest := versions[0], versions[len(versions)-1]
			id := 0
			for _, leads := range []string{oldest, latest} {
				By("letting a node of version " + leads + " lead, and the others be of the other version")
				follows := oldest
				if leads == oldest {
					follows = latest
				}
				leader := env.leader(ctx)
				for node := range env.cluster.Size() {
					version := follows
					if node == leader {
						version = leads
					}
					env.reboot(ctx, node, version)
				}
				env.leads(ctx, leader)
				By("writing while a node of the other version is away")
				away := env.others(leader)[0]
				env.leave(ctx, away, fault.Crash)
				for range 20 {
					id++
					env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?, ?)", id, leads)
				}
				env.comeBack(ctx, away)
				for node := range env.cluster.Size() {
					id++
					env.runOn(ctx, env.node(node), "INSERT INTO {ns}.t VALUES (?, ?)", id, leads)
				}
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			}
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(id)))
		}, env.patience)

		It("read what another version has written, also where all restart at once", func(ctx SpecContext) {
			oldest, latest := versions[0], versions[len(versions)-1]
			all := func(version string) {
				for node := range env.cluster.Size() {
					env.leave(ctx, node, fault.Stop)
				}
				for node := range env.cluster.Size() {
					env.becomes(ctx, node, version)
				}
				for node := range env.cluster.Size() {
					Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed())
				}
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			}
			all(oldest)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT); CREATE INDEX {ns}.by_v ON t (v)")
			for id := range 30 {
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?, ?)", id, oldest)
			}
			all(latest)
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t WHERE v = ?", oldest)).To(HaveRows(Row(30)))
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (30, ?)", latest)
			all(oldest)
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(31)))
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
		}, env.patience)
	})
}

// upgrader is the cluster as a target.Upgrader, which it must be.
func (env *environment) upgrader() target.Upgrader {
	GinkgoHelper()
	upgrader, can := target.As[target.Upgrader](env.booted)
	Expect(can).To(BeTrue())
	return upgrader
}

// becomes gives a node that does not run another version.
func (env *environment) becomes(ctx context.Context, node int, version string) {
	GinkgoHelper()
	Expect(env.upgrader().SetVersion(ctx, node, version)).To(Succeed())
	Expect(env.upgrader().Version(node)).To(Equal(version))
}

// reboot restarts a node with a version, if it runs another one.
func (env *environment) reboot(ctx context.Context, node int, version string) {
	GinkgoHelper()
	now, err := env.upgrader().Version(node)
	Expect(err).NotTo(HaveOccurred())
	if now == version {
		return
	}
	env.leave(ctx, node, fault.Stop)
	env.becomes(ctx, node, version)
	env.comeBack(ctx, node)
}

// leads makes a node the leader: it stops whichever other node leads, until that one does.
func (env *environment) leads(ctx context.Context, node int) {
	GinkgoHelper()
	env.eventually(ctx, func(ctx context.Context) error {
		leader, err := env.cluster.Leader(ctx)
		if err != nil || leader == node {
			return err
		}
		if err := env.cluster.TakeNodeOffline(ctx, leader, fault.Crash); err != nil {
			return err
		}
		if err := env.cluster.BringNodeOnline(ctx, leader); err != nil {
			return StopTrying("a node does not start").Wrap(err)
		}
		if err := env.cluster.WaitForNodeOnline(ctx, leader); err != nil {
			return err
		}
		return fmt.Errorf("node %d led", leader)
	}).WithTimeout(env.pace.work()).Should(Succeed())
}
