package specs

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// calmPace is the election timeout for specs that take minutes of virtual time: with fewer
// heartbeats they take less real time.
const calmPace = time.Second

// slowClients are specs about clients that send or read slowly, or not at all.
func slowClients(env *environment) {
	Describe("A slow client", Label("suite:slow-clients", "speed:slow", "needs:http"), func() {
		var limit time.Duration

		BeforeEach(func(ctx SpecContext) {
			env.requires(target.Dial)
			env.assumes(target.HTTPAPI, target.Streams)
			if limit = env.options.Limits.Request; limit == 0 {
				Skip("specs.Options.Limits does not tell how long a client may take")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// others writes and reads on every node once, and returns the longest time.
		others := func(ctx context.Context) (longest time.Duration) {
			GinkgoHelper()
			for _, node := range env.cluster.Nodes() {
				begun := time.Now()
				env.runOn(ctx, node, "INSERT INTO {ns}.t (v) VALUES ('by others')")
				for _, level := range []target.Consistency{target.Local, target.Strong} {
					Expect(env.runOn(ctx, node.Reading(level), "SELECT 1")).To(HaveRows(Row(1)))
				}
				longest = max(longest, time.Since(begun))
			}
			return longest
		}

		It("that sends slowly is disconnected at any point, and others are served", func(ctx SpecContext) {
			node := env.leader(ctx)
			whole := env.raw(ctx, node, env.authorized(posting("SELECT 1")))
			head := whole[:strings.Index(whole, "{")]
			chunked := strings.Replace(head, "Content-Length", "Transfer-Encoding: chunked\r\nX-Length", 1)
			requests := []struct {
				name, at, drip string // what is sent at once, and then byte by byte
				answers        int    // expected before the end
				most           time.Duration
			}{
				{"a header", whole[:20], strings.Repeat("x", 100), 0, limit},
				{"headers", head[:len(head)-2], strings.Repeat("X-More: y\r\n", 50), 0, limit},
				{"a body", head, strings.Repeat(" ", 40), 0, limit},
				{"a body in chunks", chunked, strings.Repeat("1\r\n \r\n", 20), 0, limit},
				{"half a header", whole[:20], "", 0, limit},
				{"no body", head, "", 0, limit},
				{"half a body", whole[:len(whole)-5], "", 0, limit},
				{"half a second request", whole + whole[:30], "", 1, limit},
				{"no second body", whole + head, "", 1, limit},
				{"no second request", whole, "", 1, env.options.Limits.Idle},
			}
			conns := make([]net.Conn, len(requests))
			var clients sync.WaitGroup
			for i, request := range requests {
				if request.most > limit && !env.cluster.Can(target.Time) {
					continue // it takes minutes of real time
				}
				conn, err := env.node(node).Dial(ctx)
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(conn.Close)
				conns[i] = conn
				dripping, stop := context.WithCancel(ctx)
				clients.Go(func() {
					_, _ = io.WriteString(conn, request.at)
					drip(dripping, conn, request.drip, limit/10)
				})
				clients.Go(func() {
					defer GinkgoRecover()
					defer stop()
					got, took, err := untilCut(conn, request.most+request.most/2)
					Expect(err).NotTo(HaveOccurred(), "a client that sends %s", request.name)
					Expect(took).To(BeNumerically(">", request.most/2), "a client that sends %s has no time: %s", request.name, got)
					Expect(strings.Count(string(got), "200 OK")).To(Equal(request.answers), "a client that sends %s: %s", request.name, got)
				})
			}
			Expect(others(ctx)).To(BeNumerically("<", limit/2), "others wait for slow clients")
			clients.Wait()
			others(ctx)
		}, env.patience)

		It("that does not read its answers blocks no read, write or snapshot, and is disconnected", func(ctx SpecContext) {
			env.needs(3)
			if env.options.Limits.Readers == 0 {
				Skip("specs.Options.Limits does not tell the number of concurrent reads")
			}
			node := env.others(env.leader(ctx))[0]
			large := posting("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 400) SELECT zeroblob(65536) FROM c")
			request := env.raw(ctx, node, env.authorized(asked{method: large.method, path: large.path,
				body: strings.Replace(large.body, "{", `{"consistency":"local",`, 1)}))
			count := env.options.Limits.Readers + 2
			begun := time.Now()
			var conns []net.Conn
			for range count {
				conn, err := env.node(node).Dial(ctx)
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(conn.Close)
				_, err = io.WriteString(conn, request)
				Expect(err).NotTo(HaveOccurred())
				conns = append(conns, conn)
			}
			served := 0
			for i, conn := range conns {
				given := limit / 2
				if i >= env.options.Limits.Readers {
					given = limit / 50
				}
				first := make([]byte, 12)
				Expect(conn.SetReadDeadline(time.Now().Add(given))).To(Succeed())
				if _, err := io.ReadFull(conn, first); err == nil && string(first) == "HTTP/1.1 200" {
					served++
				}
			}
			if env.cluster.Can(target.Time) { // elsewhere some may have ended already
				Expect(served).To(Equal(env.options.Limits.Readers), "the number of concurrent answers")
			}
			Expect(served).To(BeNumerically(">", 0), "no such answer has begun")

			By("serving other clients")
			Expect(others(ctx)).To(BeNumerically("<", limit/2), "others wait for clients that do not read")
			before := statusOf(ctx, env.node(node)).SnapshotIndex
			env.eventually(ctx, func(ctx context.Context) uint64 {
				for range 50 {
					env.run(ctx, "INSERT INTO {ns}.t (v) VALUES ('by others')")
				}
				return statusOf(ctx, env.node(node)).SnapshotIndex
			}).Should(BeNumerically(">", before), "no snapshot is taken while clients do not read")
			waiting := 0
			for _, conn := range conns {
				if _, err := conn.Write([]byte("\r\n")); err == nil {
					waiting++
				}
			}
			if env.cluster.Can(target.Time) {
				Expect(waiting).To(BeNumerically(">", 0), "all clients were disconnected before the snapshot")
			}

			By("disconnecting the clients")
			for i, conn := range conns {
				left := limit + limit/2 - time.Since(begun)
				env.eventually(ctx, func() error { // not read, because the node could send more then
					_, err := conn.Write([]byte("\r\n"))
					return err
				}).WithTimeout(max(left, time.Second)).Should(HaveOccurred(), "client %d does not read and is not disconnected", i)
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT count(*) FROM {ns}.t")))
		}, env.patience)

		It("that does not read the answer to a change is disconnected after the change", func(ctx SpecContext) {
			env.needs(3)
			const rows = 60
			leader := env.leader(ctx)
			for i, node := range []int{leader, env.others(leader)[0]} {
				change := posting(env.sql(fmt.Sprintf(
					"INSERT INTO {ns}.t (id, v) WITH RECURSIVE c(x) AS (SELECT %d UNION ALL SELECT x + 1 FROM c LIMIT %d) SELECT x, zeroblob(30000) "+
						"FROM c RETURNING v", 1000*(i+1), rows)))
				conn, err := env.node(node).Dial(ctx)
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(conn.Close)
				begun := time.Now()
				_, err = io.WriteString(conn, env.raw(ctx, node, env.authorized(change)))
				Expect(err).NotTo(HaveOccurred())
				env.eventually(ctx, func() error {
					_, err := conn.Write([]byte("\r\n"))
					return err
				}).WithTimeout(limit+limit/2).Should(HaveOccurred(), "the client is not disconnected")
				if env.cluster.Can(target.Time) { // elsewhere the answer may fit into the socket buffers
					Expect(time.Since(begun)).To(BeNumerically(">", limit/2), "the client had no time")
				}
				Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t WHERE id >= ?", 1000*(i+1))).To(HaveRows(Row(rows)))
				others(ctx)
				env.run(ctx, "DELETE FROM {ns}.t")
			}
		}, env.patience)

		It("that reads the answer to a change slowly but steadily gets all of it", func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Time)
			leader := env.leader(ctx)
			for i, node := range []int{leader, env.others(leader)[0]} {
				change := posting(env.sql(fmt.Sprintf(
					"INSERT INTO {ns}.t (id, v) WITH RECURSIVE c(x) AS (SELECT %d UNION ALL SELECT x + 1 FROM c LIMIT 60) SELECT x, zeroblob(30000) "+
						"FROM c RETURNING v", 1000*(i+1))))
				conn, err := env.node(node).Dial(ctx)
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(conn.Close)
				_, err = io.WriteString(conn, strings.Replace(env.raw(ctx, node, env.authorized(change)), "\r\n", "\r\nConnection: close\r\n", 1))
				Expect(err).NotTo(HaveOccurred())
				begun := time.Now()
				var got strings.Builder
				for err == nil {
					Expect(env.cluster.Advance(ctx, limit/3)).To(Succeed())
					_, err = io.CopyN(&got, conn, 400<<10)
				}
				Expect(time.Since(begun)).To(BeNumerically(">", limit+limit/2), "the client was not slow")
				Expect(got.String()).To(ContainSubstring(`"success"`), "%s disconnects a client that reads slowly", env.node(node))
			}
		}, env.patience)

		It("that reads very slowly is disconnected at the time limit of a read", func(ctx SpecContext) {
			env.requires(target.Time)
			if env.options.Limits.Read == 0 {
				Skip("specs.Options.Limits does not tell how long a read may take")
			}
			node := env.leader(ctx)
			conn, err := env.node(node).Dial(ctx)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(conn.Close)
			request := posting("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 2000) SELECT zeroblob(16384) FROM c")
			_, err = io.WriteString(conn, env.raw(ctx, node, env.authorized(request)))
			Expect(err).NotTo(HaveOccurred())
			begun, got, step := time.Now(), 0, env.options.Limits.Read/20
			buffer := make([]byte, 200<<10)
			var ended error
			for ended == nil && time.Since(begun) < 2*env.options.Limits.Read {
				Expect(env.cluster.Advance(ctx, step)).To(Succeed())
				n, err := io.ReadFull(conn, buffer)
				got, ended = got+n, err
			}
			took := time.Since(begun)
			Expect(ended).To(HaveOccurred(), "after %v it still receives, and has %d bytes", took, got)
			Expect(took).To(And(BeNumerically(">", env.options.Limits.Read-2*step), BeNumerically("<", env.options.Limits.Read+4*step)))
			Expect(string(buffer)).NotTo(ContainSubstring(`"success"`))
			others(ctx)
		}, env.patience)
	})
}

// raw is a request as text.
func (env *environment) raw(ctx context.Context, node int, a asked) string {
	GinkgoHelper()
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n", a.method, a.path, statusOf(ctx, env.node(node)).Address, jsonType)
	for name, value := range a.headers {
		fmt.Fprintf(&text, "%s: %s\r\n", name, value)
	}
	fmt.Fprintf(&text, "Content-Length: %d\r\n\r\n%s", len(a.body), a.body)
	return text.String()
}

// drip sends text byte by byte until ctx ends or the connection is closed.
func drip(ctx context.Context, conn net.Conn, text string, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for i := range len(text) {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
			return
		}
		timer.Reset(pause)
	}
}
