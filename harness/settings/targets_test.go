package settings_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target/described"
)

// shop is a described target, as a file has it.
const shop = `
cluster: {target: shop}
targets:
  shop:
    declares: [own-writes]
    pace: {election: 300ms}
    nodes:
      - {name: a, address: "127.0.0.1:4001", host: db1, values: {pod: db-0}}
      - {name: b, address: "127.0.0.1:4002"}
    commands:
      timeout: 10s
      pause: docker pause {{.Values.pod}}
      resume: docker unpause {{.Values.pod}}
    http:
      write: {path: /exec, body: '{{json .SQL}}'}
      answer: {rows: rows, column-name: name}
      errors:
        rules:
          - {status: 503, outcome: not-applied, kind: no-leader, temporary: true}
    status:
      ask: [{call: {path: /status}}]
      role: '{{.role}}'
`

var _ = Describe("A described target", func() {
	It("is read from the file, and its name is a target", func() {
		loaded, err := parse(shop, settings.Described())
		Expect(err).NotTo(HaveOccurred())
		Expect(loaded.Cluster.Target).To(Equal("shop"))
		Expect(loaded.Targets).To(HaveKeyWithValue("shop", described.Target{
			Declares: []string{"own-writes"}, Pace: described.Pace{Election: 300 * time.Millisecond},
			Nodes: []described.Node{
				{Name: "a", Address: "127.0.0.1:4001", Host: "db1", Values: map[string]string{"pod": "db-0"}},
				{Name: "b", Address: "127.0.0.1:4002"},
			},
			Commands: described.Commands{Timeout: 10 * time.Second, Pause: "docker pause {{.Values.pod}}", Resume: "docker unpause {{.Values.pod}}"},
			HTTP: &described.HTTP{
				Write:  described.Call{Path: "/exec", Body: "{{json .SQL}}"},
				Answer: described.Answer{Rows: "rows", ColumnName: "name"},
				Errors: described.Errors{Rules: []described.Rule{{Status: 503, Outcome: "not-applied", Kind: "no-leader", Temporary: true}}},
			},
			Status: described.Status{Ask: []described.Ask{{Call: &described.Call{Path: "/status"}}}, Role: "{{.role}}"},
		}))
	})

	It("is no target of a program that cannot start it", func() {
		_, err := parse(shop)
		Expect(err).To(MatchError(`ginkgo.yml:2:19: cluster.target: "shop" is not one of them; allowed: local, process`))
	})

	It("is read without being a target of a program that uses another one", func() {
		_, err := parse(strings.Replace(shop, "target: shop", "target: local", 1))
		Expect(err).NotTo(HaveOccurred())
	})

	DescribeTable("has its mistakes told with their lines", func(old, mistake, message string) {
		Expect(shop).To(ContainSubstring(old))
		_, err := parse(strings.Replace(shop, old, mistake, 1), settings.Described())
		Expect(err).To(MatchError(message))
	},
		Entry("an unknown key", "commands:", "comands:",
			`ginkgo.yml:10:5: targets.shop.comands is not a key; did you mean "commands"? `+
				`allowed: declares, pace, dialect, setup, programs, nodes, commands, http, driver, status`),
		Entry("a key deep inside", "outcome: not-applied", "outcom: x",
			`ginkgo.yml:19:27: targets.shop.http.errors.rules.0.outcom is not a key; did you mean "outcome"? `+
				`allowed: status, code, says, contains, outcome, kind, temporary`),
		Entry("a number for a list", "declares: [own-writes]", "declares: 5",
			`ginkgo.yml:5:15: targets.shop.declares: the value is the single value "5"; allowed: a list`),
		Entry("a list for a text", "path: /status", "path: [a]",
			`ginkgo.yml:21:27: targets.shop.status.ask.0.call.path: the value is a list; allowed: a single value`),
		Entry("a word for a number", "status: 503", "status: many",
			`ginkgo.yml:19:22: targets.shop.http.errors.rules.0.status: "many" is not a whole number; allowed: a whole number`),
		Entry("a word for a truth", "temporary: true", "temporary: yes",
			`ginkgo.yml:19:77: targets.shop.http.errors.rules.0.temporary: "yes" is neither true nor false; allowed: true or false`),
		Entry("a duration without a unit", "timeout: 10s", "timeout: 10",
			`ginkgo.yml:11:16: targets.shop.commands.timeout: "10" has no unit such as ms, s or m; allowed: a duration such as 300ms, 2s or 1m`),
		Entry("a negative duration", "timeout: 10s", "timeout: -1s",
			`ginkgo.yml:11:16: targets.shop.commands.timeout: -1s is negative; allowed: a duration such as 300ms, 2s or 1m`),
		Entry("a missing value", "role: '{{.role}}'", "role:",
			`ginkgo.yml:22:12: targets.shop.status.role: the value is missing`),
		Entry("no template", "pause: docker pause {{.Values.pod}}", "pause: docker pause {{.Values",
			`ginkgo.yml:12:14: targets.shop.commands.pause: a {{ has no }}`),
		Entry("an unknown function", "'{{json .SQL}}'", "'{{jsn .SQL}}'",
			`ginkgo.yml:15:34: targets.shop.http.write.body: it is no template: 1: function "jsn" not defined`),
		Entry("half a pair of commands", "      resume: docker unpause {{.Values.pod}}\n", "",
			`ginkgo.yml:12:14: targets.shop.commands.pause: resume is missing; allowed: pause, resume together, or none of them`),
		Entry("two nodes of one name", "name: b", "name: a",
			`ginkgo.yml:9:16: targets.shop.nodes.1.name: "a" is the name of node 0 as well`),
		Entry("a node without an address", `name: b, address: "127.0.0.1:4002"`, "name: b",
			`ginkgo.yml:9:9: targets.shop.nodes.1.address: it is missing`),
		Entry("an unknown kind", "kind: no-leader", "kind: leaderless",
			`ginkgo.yml:19:55: targets.shop.http.errors.rules.0.kind: "leaderless" is not one of them; `+
				`allowed: answer-gone, bad-request, conflict, constraint, exists, failed, key-reused, membership, `+
				`no-leader, no-quorum, no-such-namespace, `+
				`no-such-table, no-words, params, refused, `+
				`replaying, stopping, syntax, timeout, too-costly, too-large, unauthorized, unreachable`),
		Entry("a path that is none", "path: /exec", "path: exec",
			`ginkgo.yml:15:21: targets.shop.http.write.path: "exec" does not begin with /`),
		Entry("no SQL", "    http:\n", "    driver:\n",
			`ginkgo.yml:15:7: targets.shop.driver.write is not a key; allowed: name, dsn, rules`+"\n"+
				`ginkgo.yml:16:7: targets.shop.driver.answer is not a key; allowed: name, dsn, rules`+"\n"+
				`ginkgo.yml:17:7: targets.shop.driver.errors is not a key; allowed: name, dsn, rules`),
		Entry("a name that is taken", "targets:\n  shop:", "targets:\n  local:",
			`ginkgo.yml:2:19: cluster.target: "shop" is not one of them; allowed: local, process`+"\n"+
				`ginkgo.yml:4:3: targets.local: the name is taken by a target that is built in; allowed: a name besides local, process`),
	)
})
