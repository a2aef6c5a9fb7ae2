package main_test

import (
	"context"
	"fmt"
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = ours("Shipdb", func() {
	It("gives every node the same values, whichever node is asked", func(ctx SpecContext) {
		c := start(ctx, "")
		c.write(ctx, 0, "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v)")
		values := []any{nil, "text ' ünï", m{"real": "1"}, m{"real": "-Inf"}, m{"blob": "AP8="}, m{"blob": ""}, "", 7.0}
		for i, v := range values {
			c.write(ctx, i%3, "INSERT OR REPLACE INTO t VALUES (?, ?)", i, v)
		}
		c.write(ctx, 1, "INSERT OR REPLACE INTO t VALUES (100, -9223372036854775808)")
		for i := range c.nodes {
			rows := c.rows(ctx, i, "SELECT v FROM t WHERE id < 100 ORDER BY id")
			for j, v := range values {
				Expect(rows[j]).To(Equal([]any{v}))
			}
			Expect(c.rows(ctx, i, "SELECT CAST(v AS TEXT) FROM t WHERE id = 100")).To(Equal([][]any{{"-9223372036854775808"}}))
		}
		a := c.ask(ctx, 2, "/query", "leader", "SELECT id, v, id + 1 FROM t WHERE id = 7")
		Expect(a.Results[0].Columns).To(Equal([]string{"id", "v", "id + 1"}))
		Expect(a.Results[0].Types).To(Equal([]string{"INTEGER", "", ""}))
		Expect(c.ask(ctx, 2, "/exec", "", "UPDATE t SET v = 0 WHERE id < 3").Results[0].Affected).To(Equal(3))
	}, patience)

	It("says what became of a request that failed", func(ctx SpecContext) {
		c := start(ctx, "")
		c.write(ctx, 0, "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY)")
		c.write(ctx, 0, "INSERT OR IGNORE INTO t VALUES (1)")
		for sql, code := range map[string]string{
			"INSERT INTO t VALUES (1)":                  "constraint",
			"INSERT OR ROLLBACK INTO t VALUES (2), (1)": "constraint",
			"INSERT INTO u VALUES (1)":                  "sql",
			"/* a */ -- b\n commit":                     "refused",
			"SELECT 1; COMMIT":                          "refused",
		} {
			a := c.ask(ctx, 0, "/exec", "", sql)
			Expect(a.Error.Code).To(Equal(code), sql)
			Expect(a.Error.Applied).To(Equal("no"))
		}
		Expect(c.ask(ctx, 0, "/query", "local", "DELETE FROM t").Error.Code).To(Equal("refused"))
		Expect(c.ask(ctx, 0, "/query", "old", "SELECT 1").Error.Code).To(Equal("bad_request"))
		for i := range c.nodes {
			Expect(c.rows(ctx, i, "SELECT id FROM t")).To(Equal([][]any{{1.0}}))
		}
	}, patience)

	It("loses no acknowledged write, and repeats none, while nodes are killed", func(ctx SpecContext) {
		c := start(ctx, "")
		work(ctx, c, func(victim int) { c.kill(victim) }, func(victim int) { c.start(ctx, victim) }).expectKept(ctx)
	}, patience)

	It("loses no acknowledged write, and repeats none, while nodes are cut off from each other", func(ctx SpecContext) {
		c := start(ctx, "")
		w := work(ctx, c, func(victim int) { c.cutOff(ctx, victim) }, c.mend)
		w.expectKept(ctx)
	}, patience)

	It("loses acknowledged writes with the bug early, while nodes are cut off from each other", func(ctx SpecContext) {
		c := start(ctx, "early")
		w := work(ctx, c, func(victim int) { c.cutOff(ctx, victim) }, c.mend)
		Expect(w.wrong(ctx)).NotTo(BeEmpty())
	}, patience)

	// alone leaves the leader alone, and returns its answers to a write and to a leader read.
	alone := func(ctx context.Context, bug string) (written, read answer) {
		c := start(ctx, bug)
		c.write(ctx, 0, "CREATE TABLE IF NOT EXISTS t (id INTEGER)")
		leader := c.leader(ctx)
		c.kill((leader + 1) % 3)
		c.kill((leader + 2) % 3)
		return c.ask(ctx, leader, "/exec", "", "INSERT INTO t VALUES (1)"), c.ask(ctx, leader, "/query", "leader", "SELECT * FROM t")
	}

	// most restarts a follower after each of several rows, and returns how often it holds a row at most. It ends with the first
	// row that the follower holds twice: a position that is saved just before a restart does no harm.
	most := func(ctx context.Context, bug string, restarts int) (most int) {
		c := start(ctx, bug)
		c.write(ctx, 0, "CREATE TABLE IF NOT EXISTS t (id INTEGER)")
		c.write(ctx, 0, "CREATE TABLE IF NOT EXISTS u (id INTEGER)")
		follower := (c.leader(ctx) + 1) % 3
		for id := 0; id < restarts && most < 2; id++ {
			Expect(c.ask(ctx, c.leader(ctx), "/exec", "", fmt.Sprintf("INSERT INTO t VALUES (%d)", id)).Error.Message).To(BeEmpty())
			row := fmt.Sprintf("SELECT * FROM t WHERE id = %d", id)
			c.rows(ctx, follower, row) // the follower has applied it
			c.kill(follower)
			c.start(ctx, follower)
			c.write(ctx, follower, "INSERT INTO u VALUES (1)")
			most = max(most, len(c.rows(ctx, follower, row)))
		}
		return most
	}

	It("confirms nothing without a majority", func(ctx SpecContext) {
		written, read := alone(ctx, "")
		Expect(written.Error.Code).To(BeElementOf("timeout", "no_leader"))
		Expect(read.Error.Code).To(BeElementOf("no_quorum", "no_leader"))
	}, patience)

	It("executes nothing again after a restart", func(ctx SpecContext) {
		Expect(most(ctx, "", 3)).To(Equal(1))
	}, patience)

	It("has the bug early: a write is acknowledged by the leader alone", func(ctx SpecContext) {
		written, _ := alone(ctx, "early")
		Expect(written.Error.Code).To(BeEmpty())
	}, patience)

	It("has the bug again: a restarted follower executes entries again", func(ctx SpecContext) {
		Expect(most(ctx, "again", 20)).To(Equal(2))
	}, patience)

	It("has the bug deposed: a leader alone answers leader reads", func(ctx SpecContext) {
		_, read := alone(ctx, "deposed")
		Expect(read.Error.Code).To(BeEmpty())
	}, patience)

	It("says what is wrong with its flags", func() {
		output, err := exec.Command(binary, "-name", "n0", "-peers", "n1=x:1").CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(output)).To(Equal("shipdb: -name: \"n0\" is not in -peers n1=x:1\n"))
	})
})
