package containers_test

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/moby/moby/client"

	"github.com/rejoin-db/rejoin/harness/containers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// patience bounds each spec.
const patience = SpecTimeout(2 * time.Minute)

// one is the first value of the answer to a statement.
func one(ctx context.Context, sql target.SQL, level target.Consistency, statement string) (value any, err error) {
	rows, err := sql.Query(ctx, target.Request{SQL: statement, Consistency: level})
	if err != nil {
		return nil, err
	}
	if rows.NextResult() && rows.Next() {
		row, err := rows.Row()
		if err != nil {
			return nil, err
		}
		value = row[0]
	}
	for rows.NextResult() {
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return value, rows.Close()
}

// owned are the names of all containers and networks of the package in the engine.
func owned(ctx context.Context) (names []string) {
	GinkgoHelper()
	ours := client.Filters{}.Add("label", "rejoin.owner")
	all, err := engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	Expect(err).NotTo(HaveOccurred())
	for _, c := range all.Items {
		names = append(names, strings.Join(c.Names, " "))
	}
	networks, err := engine.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	Expect(err).NotTo(HaveOccurred())
	for _, n := range networks.Items {
		names = append(names, n.Name)
	}
	return names
}

var _ = Describe("A cluster of containers", Label("suite:containers"), func() {
	var cluster *containers.Cluster

	BeforeEach(func(ctx SpecContext) {
		booted, err := shipdb().Boot(ctx, 3)
		Expect(err).NotTo(HaveOccurred())
		cluster = booted.(*containers.Cluster)
		DeferCleanup(cluster.Close)
		Eventually(ctx, func() error {
			_, err := one(ctx, cluster.Nodes()[0].Client(), target.Default, "CREATE TABLE IF NOT EXISTS t (v)")
			return err
		}).WithTimeout(30 * time.Second).Should(Succeed())
	}, NodeTimeout(time.Minute))

	count := func(ctx context.Context, node int) func() (any, error) {
		return func() (any, error) {
			return one(ctx, cluster.Nodes()[node].Inside(), target.Local, "SELECT count(*) FROM t")
		}
	}
	insert := func(ctx context.Context, node int) error {
		_, err := one(ctx, cluster.Nodes()[node].Client(), target.Default, "INSERT INTO t VALUES (1)")
		return err
	}

	It("keeps a node apart while it is isolated, and Inside sees it", func(ctx SpecContext) {
		Eventually(ctx, count(ctx, 2)).WithTimeout(10 * time.Second).Should(BeEquivalentTo(0))
		Expect(cluster.Isolate(ctx, 2)).To(Succeed())
		Expect(insert(ctx, 2)).To(MatchError(target.ErrUnreachable), "clients still reach it")
		Eventually(ctx, func() error { return insert(ctx, 0) }).WithTimeout(30 * time.Second).Should(Succeed())
		Eventually(ctx, count(ctx, 1)).WithTimeout(10 * time.Second).Should(BeEquivalentTo(1))
		Expect(count(ctx, 2)()).To(BeEquivalentTo(0), "the others still reach it")
		Expect(cluster.Rejoin(ctx, 2)).To(Succeed())
		Eventually(ctx, count(ctx, 2)).WithTimeout(30 * time.Second).Should(BeEquivalentTo(1))
		Eventually(ctx, func() error { return insert(ctx, 2) }).WithTimeout(30 * time.Second).Should(Succeed())
	}, patience)

	DescribeTable("brings a node back with its disk", func(ctx SpecContext, away, back func(context.Context, int) error, reason string) {
		Expect(insert(ctx, 0)).To(Succeed())
		Eventually(ctx, count(ctx, 1)).WithTimeout(10 * time.Second).Should(BeEquivalentTo(1))
		Expect(away(ctx, 1)).To(Succeed())
		Expect(cluster.Nodes()[1].Status(ctx)).To(And(HaveField("State", target.Offline), HaveField("Reason", reason)))
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		_, err := one(short, cluster.Nodes()[1].Inside(), target.Local, "SELECT 1")
		Expect(err).To(HaveOccurred(), "it still runs")
		Expect(back(ctx, 1)).To(Succeed())
		Eventually(ctx, count(ctx, 1)).WithTimeout(30 * time.Second).Should(BeEquivalentTo(1))
		Eventually(ctx, func() error { return insert(ctx, 1) }).WithTimeout(30 * time.Second).Should(Succeed())
	},
		Entry("that was stopped", patience, func(ctx context.Context, i int) error { return cluster.Stop(ctx, i) },
			func(ctx context.Context, i int) error { return cluster.Start(ctx, i) }, "stopped"),
		Entry("that crashed", patience, func(ctx context.Context, i int) error { return cluster.Crash(ctx, i) },
			func(ctx context.Context, i int) error { return cluster.Start(ctx, i) }, "crashed"),
		Entry("that was paused", patience, func(ctx context.Context, i int) error { return cluster.Pause(ctx, i) },
			func(ctx context.Context, i int) error { return cluster.Resume(ctx, i) }, "paused"),
		Entry("that crashed while it was paused", patience, func(ctx context.Context, i int) error {
			if err := cluster.Pause(ctx, i); err != nil {
				return err
			}
			return cluster.Crash(ctx, i)
		}, func(ctx context.Context, i int) error { return cluster.Start(ctx, i) }, "crashed"),
	)

	It("has logs, and refuses what makes no sense", func(ctx SpecContext) {
		Expect(cluster.Log(0, 1000)).To(ContainSubstring("serving"))
		Expect(cluster.Log(0, 2)).To(HaveLen(2))
		Expect(cluster.Start(ctx, 0)).To(MatchError("start node n0: it is running"))
		Expect(cluster.Stop(ctx, 3)).To(MatchError("stop node 3: there is no such node: the cluster has 3"))
	}, patience)

	It("leaves nothing", func(ctx SpecContext) {
		Expect(owned(ctx)).To(HaveLen(7))
		Expect(cluster.Pause(ctx, 0)).To(Succeed())
		Expect(cluster.Isolate(ctx, 1)).To(Succeed())
		Expect(cluster.Close()).To(Succeed())
		Expect(owned(ctx)).To(BeEmpty())
		Expect(cluster.Close()).To(Succeed())
	}, patience)
})

var _ = Describe("A boot", Label("suite:containers"), func() {
	It("that fails leaves nothing, and tells what the node said", func(ctx SpecContext) {
		over := containers.New(containers.Options{Engine: engine, Image: image, Port: port, Command: []string{"/shipdb", "-name", "{{.Name}}"},
			SQL: func(*containers.Node) (target.SQL, error) { return nil, nil }, // it is never asked
			Status: func(ctx context.Context, node *containers.Node) (target.Status, error) {
				connection, err := node.Dial(ctx, "tcp", "")
				if err == nil {
					err = connection.Close()
				}
				return target.Status{}, err
			}})
		_, err := over.Boot(ctx, 2)
		Expect(err).To(MatchError(And(HavePrefix("boot 2 containers: start node n0: its container has ended; its log ends:\n"),
			ContainSubstring("-peers"))))
		Expect(owned(ctx)).To(BeEmpty())
	}, patience)

	It("removes what a process that was killed has left", func(ctx SpecContext) {
		byOwner := func(by string) client.NetworkCreateOptions {
			return client.NetworkCreateOptions{Labels: map[string]string{"rejoin.owner": by}}
		}
		_, err := engine.NetworkCreate(ctx, "rejoin-left", byOwner(containers.OwnerOf(1<<22)))
		Expect(err).NotTo(HaveOccurred())
		other, err := engine.NetworkCreate(ctx, "rejoin-other", byOwner("elsewhere/1/2"))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx context.Context) error {
			_, err := engine.NetworkRemove(ctx, other.ID, client.NetworkRemoveOptions{})
			return err
		})
		cluster, err := shipdb().Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		Expect(owned(ctx)).To(And(HaveLen(4), ContainElement("rejoin-other")))
		Expect(cluster.Close()).To(Succeed())
	}, patience)
})
