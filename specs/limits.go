package specs

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// stepsOf is an expression that takes that many steps, and little time: a pattern that could
// match anywhere in a text, which is counted as pattern bytes times text bytes.
func stepsOf(steps int64) string {
	const text, bytesPerStep = 8000, 16
	pattern := steps * bytesPerStep / (2 * text)
	return fmt.Sprintf("hex(zeroblob(%d)) LIKE '%%' || replace(hex(zeroblob(%d)), '0', '1')", text, pattern/2)
}

// bytesOf is an expression that holds that many bytes at once: three values, and a copy of the
// largest.
func bytesOf(bytes int64) string {
	const held = 4
	each := fmt.Sprintf("zeroblob(%d)", bytes/held)
	return "length(max(" + strings.Join([]string{each, each, each}, ", ") + "))"
}

// share is a part of a limit, in percent.
func share(limit int64, percent int64) int64 { return limit / 100 * percent }

// limitsOfRequests are specs about what one request may take: a little less succeeds, and a
// little more is refused, on every node.
func limitsOfRequests(env *environment) {
	Describe("The limits of a request", Label("suite:limits"), func() {
		var limits Limits

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			if limits = env.options.Limits; limits.Steps == 0 {
				Skip("specs.Options.Limits does not tell the limits of a request")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		costly := func(ctx context.Context, node *harness.Node, what, sql string) {
			GinkgoHelper()
			_, err := env.finally(ctx, node, sql)
			Expect(err).To(MatchError(target.ErrTooCostly), "%s at %s", what, node)
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		}
		inserting := func(expressions ...string) string {
			var all []string
			for _, e := range expressions {
				all = append(all, "INSERT INTO {ns}.t (v) SELECT "+e)
			}
			return strings.Join(all, "; ")
		}
		// changes sends a node changes around each limit, and returns how many rows were written.
		changes := func(ctx context.Context, node *harness.Node) (made int) {
			GinkgoHelper()
			for _, bad := range []struct{ what, sql string }{
				{"steps", inserting(stepsOf(share(limits.Steps, 103)))},
				{"steps of two statements", inserting(stepsOf(share(limits.Steps, 60)), stepsOf(share(limits.Steps, 60)))},
				{"memory", inserting(bytesOf(share(limits.Memory, 103)))},
				{"an answer", fmt.Sprintf("INSERT INTO {ns}.t (v) VALUES (zeroblob(%d)) RETURNING v", limits.Answer+1)},
				{"the answers of two statements",
					strings.Repeat(fmt.Sprintf("INSERT INTO {ns}.t (v) VALUES (zeroblob(%d)) RETURNING v; ", share(limits.Answer, 60)), 2)},
				{"a value", inserting(fmt.Sprintf("length(zeroblob(%d))", limits.Value+1))},
			} {
				costly(ctx, node, bad.what, bad.sql)
			}
			for _, good := range []string{
				inserting(stepsOf(share(limits.Steps, 97))),
				inserting(stepsOf(share(limits.Steps, 48)), stepsOf(share(limits.Steps, 48))),
				inserting(bytesOf(share(limits.Memory, 97))),
				inserting(fmt.Sprintf("length(zeroblob(%d))", limits.Value)),
			} {
				env.runOn(ctx, node, good)
			}
			return 5 // one of them writes two rows
		}
		// reads sends a node reads around each limit.
		reads := func(ctx context.Context, node *harness.Node) {
			GinkgoHelper()
			for _, level := range []target.Consistency{target.Local, target.Strong} {
				at := node.Reading(level)
				costly(ctx, at, "steps of a read", "SELECT "+stepsOf(share(limits.ReadSteps, 103)))
				costly(ctx, at, "steps of two reads", "SELECT "+stepsOf(share(limits.ReadSteps, 60))+"; SELECT "+stepsOf(share(limits.ReadSteps, 60)))
				env.runOn(ctx, at, "SELECT "+stepsOf(share(limits.ReadSteps, 97)))
			}
			costly(ctx, node, "memory of a read", "SELECT "+bytesOf(share(limits.ReadMemory, 103)))
			env.runOn(ctx, node, "SELECT "+bytesOf(share(limits.ReadMemory, 97)))
			costly(ctx, node, "a value that is read", fmt.Sprintf("SELECT length(zeroblob(%d))", limits.Value+1))
		}

		It("are equal on leader and followers, for changes and reads, and after a restart", Label("fault:crash"), func(ctx SpecContext) {
			leader := env.leader(ctx)
			follower := env.others(leader)[0]
			made := 0
			for _, node := range []int{leader, follower} {
				made += changes(ctx, env.node(node))
				reads(ctx, env.node(node))
			}
			if env.cluster.Can(target.Crash) {
				By("restarting a follower")
				env.leave(ctx, follower, fault.Crash)
				env.comeBack(ctx, follower)
				again := env.node(follower)
				costly(ctx, again, "steps", inserting(stepsOf(share(limits.Steps, 103))))
				costly(ctx, again, "memory", inserting(bytesOf(share(limits.Memory, 103))))
				costly(ctx, again.Reading(target.Local), "steps of a read", "SELECT "+stepsOf(share(limits.ReadSteps, 103)))
				costly(ctx, again.Reading(target.Local), "memory of a read", "SELECT "+bytesOf(share(limits.ReadMemory, 103)))
				env.runOn(ctx, again, inserting(stepsOf(share(limits.Steps, 97))))
				made++
			}
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(made)))
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
		}, env.patience)

		It("count the work inside functions", func(ctx SpecContext) {
			text := func(bytes int64) string { return fmt.Sprintf("hex(zeroblob(%d))", bytes/2) }
			long := min(limits.Value/2, 4<<20)
			other := limits.ReadSteps / 100 * 105 * 16 / long
			for _, sql := range []string{
				"SELECT trim(" + text(long) + ", " + text(other) + ")",
				"SELECT ltrim(" + text(long) + ", " + text(other) + ")",
				"SELECT rtrim(" + text(long) + ", " + text(other) + ")",
				"SELECT unhex(" + text(long) + ", " + text(other) + ")",
				"SELECT " + text(long) + " LIKE '%' || replace(" + text(other) + ", '0', '1')",
				"SELECT " + text(long) + " GLOB '*' || replace(" + text(other) + ", '0', '1')",
				"SELECT like(" + text(other) + ", " + text(long) + ", '!')",
			} {
				costly(ctx, env.node(0).Reading(target.Local), sql, sql)
			}
			Expect(env.run(ctx, "SELECT trim('  x '), length(trim("+text(1000)+", '0')), 'abc' LIKE '%c', 'abc' GLOB '*b'")).To(
				HaveRows(Row("x", 0, 1, 0)))
		}, env.patience)

		It("apply to each request of a catch-up separately", Label("fault:isolate"), func(ctx SpecContext) {
			leader := env.leader(ctx)
			away := env.others(leader)[0]
			env.leave(ctx, away)
			made := 0
			for range 2 {
				for _, sql := range []string{inserting(stepsOf(share(limits.Steps, 97))), inserting(bytesOf(share(limits.Memory, 97)))} {
					env.patiently(ctx, sql)
					made++
				}
				costly(ctx, env.node(leader), "steps", inserting("'not'", stepsOf(share(limits.Steps, 103))))
				costly(ctx, env.node(leader), "memory", inserting("'not'", bytesOf(share(limits.Memory, 103))))
			}
			Expect(env.node(away)).NotTo(HaveCaughtUp())
			env.comeBack(ctx, away)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			Expect(env.node(away).Reading(target.Local).Execute(ctx, env.sql("SELECT count(*) FROM {ns}.t"))).To(HaveRows(Row(made)))
		}, env.patience)

		It("include the size of its body, to the byte", func(ctx SpecContext) {
			env.requires(target.Dial)
			env.assumes(target.HTTPAPI)
			if limits.Body == 0 {
				Skip("specs.Options.Limits does not tell the largest request")
			}
			write := posting(env.sql("INSERT INTO {ns}.t (v) VALUES (1)"))
			leader := env.leader(ctx)
			padded := func(bytes int64) asked {
				a := env.authorized(write)
				a.body += strings.Repeat(" ", int(bytes)-len(a.body))
				return a
			}
			said := env.ask(ctx, env.others(leader)[0], padded(limits.Body+1))
			Expect(said.status).To(Equal(http.StatusRequestEntityTooLarge), said.body)
			Expect(said.code).To(Equal("BODY_TOO_LARGE"))
			Expect(env.ask(ctx, leader, padded(limits.Body)).status).To(Equal(http.StatusOK))
			change := env.authorized(asked{method: http.MethodPost, path: membersPath, body: removing("unknown")})
			Expect(env.ask(ctx, leader, change).status).To(Equal(http.StatusOK))
			change.body += strings.Repeat(" ", 64<<10)
			Expect(env.ask(ctx, leader, change).code).To(Equal("BAD_REQUEST"), "a change of the members has no size limit")
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(1)))
		}, env.patience)
	})
}
