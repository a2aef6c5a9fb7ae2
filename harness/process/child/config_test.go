package child

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// full is a configuration with all fields set.
func full() Config {
	ahead := -time.Hour
	return Config{
		ID: "n0", Address: "127.0.0.1:4000", Dir: "/d", Control: "/d/n0.sock",
		First:           []Host{{"n0", "127.0.0.1:4000"}, {"n1", "127.0.0.1:4001"}},
		ElectionTimeout: time.Second, SnapshotThreshold: 1, SnapshotInterval: time.Minute, TrailingLogs: -1,
		WriteTimeout: 2 * time.Second, RequestTimeout: 3 * time.Second, MaxBody: 1 << 20, Token: "secret", LogLevel: "off",
		Orders: Orders{
			Hosts: []Host{{"n1", "127.0.0.1:4001"}},
			Links: []LinkRule{{
				network.Link{From: "n0", To: "n1"}, fault.Rule{Action: fault.Drop, Latency: time.Second, Loss: 0.5, Bandwidth: 9},
			}},
			Resets: []network.Link{{From: "n1", To: "n0"}},
			Disk:   &fault.Disk{Slow: time.Millisecond, Lying: true},
			Ahead:  &ahead,
		},
	}
}

var _ = Describe("A configuration", func() {
	It("is read back as it was written, without reading beyond it", func() {
		document, err := json.Marshal(full())
		Expect(err).NotTo(HaveOccurred())
		Expect(readConfig(strings.NewReader(string(document)))).To(Equal(full()))

		in, out := io.Pipe()
		go func() { _, _ = out.Write(document) }() // without an end
		Expect(readConfig(in)).To(Equal(full()))
	})

	DescribeTable("that is invalid is rejected in a sentence", func(document, message string) {
		_, err := readConfig(strings.NewReader(document))
		Expect(err).To(MatchError(And(HavePrefix("read the node's configuration: "), ContainSubstring(message))))
	},
		Entry("empty", "", "it is empty"),
		Entry("truncated", `{"id": "n0"`, "unexpected EOF"),
		Entry("no JSON", "hello", "invalid character 'h'"),
		Entry("the wrong type", "[]", "cannot unmarshal array"),
		Entry("without fields", "{}", "it has no id\nit has no dir\nit has no control"),
		Entry("without an address", "{}", "address: missing port in address"),
		Entry("with port 0", `{"address": "127.0.0.1:0"}`, "127.0.0.1:0: port 0 is not allowed"),
		Entry("with an unknown key", `{"name": "n0"}`, `unknown field "name"`),
		Entry("with an unknown log level", `{"log_level": "loud"}`, `unknown log level "loud"`),
		Entry("with a socket path that is too long", `{"control": "/`+strings.Repeat("x", MaxControl)+`"}`, "control is longer than 103 bytes"),
		Entry("with a member without a name", `{"first": [{"address": "h:1"}]}`, `the host at "h:1" has no name`),
		Entry("with invalid orders", `{"orders": {"links": [{"from": "a"}]}}`, `link from "a" to "": both ends must be named`),
		Entry("too long", strings.Repeat(" ", maxDocument)+"{}", "it is longer than 1048576 bytes"),
	)
})

var _ = Describe("Orders", func() {
	DescribeTable("that are invalid are rejected in a sentence", func(orders Orders, message string) {
		Expect(orders.Validate()).To(MatchError(message))
	},
		Entry(nil, Orders{Hosts: []Host{{"n1", "nowhere"}}}, `host "n1": address nowhere: missing port in address`),
		Entry(nil, Orders{Links: []LinkRule{{network.Link{From: "a", To: "b"}, fault.Rule{Loss: 1}}}},
			`link from "a" to "b": loss 1 must be at least 0 and below 1`),
		Entry(nil, Orders{Resets: []network.Link{{To: "b"}}}, `reset from "" to "b": both ends must be named`),
		Entry(nil, Orders{Disk: &fault.Disk{Slow: -1}}, "disk slowdown -1ns: must not be negative"),
	)

	It("may be empty", func() { Expect(Orders{}.Validate()).To(Succeed()) })
})

// FuzzConfig checks that any input is rejected with a sentence, or is a configuration that survives being written and
// read.
func FuzzConfig(f *testing.F) {
	document, err := json.Marshal(full())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(document), "", "{}", "null", `{"orders":{"ahead":1e300}}`, `{"id":"\u0000"}{"id":"n1"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		config, err := readConfig(strings.NewReader(document))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "read the node's configuration: ") {
				t.Fatalf("no sentence: %v", err)
			}
			return
		}
		written, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readConfig(strings.NewReader(string(written)))
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		rewritten, err := json.Marshal(again)
		if err != nil || string(rewritten) != string(written) {
			t.Fatalf("%s became %s (%v)", written, rewritten, err)
		}
	})
}
