package specs

import (
	"encoding/binary"
	"math/rand/v2"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// largeRows are specs about rows a few of which exceed what a node accepts in one message.
func largeRows(env *environment) {
	Describe("Large rows", Label("suite:large-rows", "fault:isolate"), func() {
		// writeLarge writes rows of that size, each with another content.
		writeLarge := func(ctx SpecContext, from, count, size int) {
			GinkgoHelper()
			for i := range count {
				env.patiently(ctx, "INSERT INTO {ns}.large (id, v) VALUES (?, ?)", from+i, incompressible(from+i, size))
			}
		}
		const all = "SELECT id, length(v), hex(substr(v, 1, 8)) FROM {ns}.large ORDER BY id"
		away := func(ctx SpecContext) (victim int) {
			GinkgoHelper()
			env.needs(3)
			env.run(ctx, "CREATE TABLE {ns}.large (id INTEGER PRIMARY KEY, v BLOB)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			victim = env.others(env.leader(ctx))[0]
			env.leave(ctx, victim)
			return victim
		}

		It("reach a node that was away", func(ctx SpecContext) {
			victim := away(ctx)
			writeLarge(ctx, 1, 24, 256<<10)
			Expect(env.node(victim)).NotTo(HaveCaughtUp())
			env.comeBack(ctx, victim)
			Expect(env.cluster).To(BeConsistent(env.sql(all)))
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT count(*), sum(length(v)) FROM {ns}.large"))).To(
				And(HaveLen(env.cluster.Size()), HaveRows(Row(24, 24*256<<10))))
		}, env.patience)

		It("reach it over a narrow link, without a timeout", Label("fault:bandwidth"), func(ctx SpecContext) {
			env.requires(target.Links)
			victim := away(ctx)
			writeLarge(ctx, 1, 1, 3<<20)
			for _, node := range env.others(victim) {
				Expect(env.cluster.SetLink(ctx, node, victim, fault.Rule{Bandwidth: 2 << 20})).To(Succeed())
			}
			env.comeBack(ctx, victim)
			env.eventually(ctx, env.node(victim)).Should(HaveCaughtUp())
			Expect(env.cluster.Heal(ctx)).To(Succeed())
			Expect(env.cluster).To(BeConsistent(env.sql(all)))
		}, env.patience)
	})
}

// incompressible is a value that no database stores or sends in fewer bytes.
func incompressible(seed, size int) []byte {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], uint64(seed))
	value := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(value) // it returns no error
	return value
}
