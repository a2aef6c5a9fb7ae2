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

// full is a configuration with something in every field.
func full() Config {
	ahead := -time.Hour
	return Config{
		ID: "n0", Address: "127.0.0.1:4000", Dir: "/d", Control: "/d/n0.sock",
		First:           []Host{{"n0", "127.0.0.1:4000"}, {"n1", "127.0.0.1:4001"}},
		ElectionTimeout: time.Second, SnapshotThreshold: 1, SnapshotInterval: time.Minute, TrailingLogs: -1,
		WriteTimeout: 2 * time.Second, RequestTimeout: 3 * time.Second, MaxBody: 1 << 20, Token: "secret", LogLevel: "off",
		Orders: Orders{
			Hosts:  []Host{{"n1", "127.0.0.1:4001"}},
			Links:  []LinkRule{{network.Link{From: "n0", To: "n1"}, fault.Rule{Action: fault.Drop, Latency: time.Second, Loss: 0.5, Bandwidth: 9}}},
			Resets: []network.Link{{From: "n1", To: "n0"}},
			Disk:   &fault.Disk{Slow: time.Millisecond, Lying: true},
			Ahead:  &ahead,
		},
	}
}

var _ = Describe("A configuration", func() {
	It("arrives as it was sent, and leaves unread what follows", func() {
		document, err := json.Marshal(full())
		Expect(err).NotTo(HaveOccurred())
		Expect(readConfig(strings.NewReader(string(document)))).To(Equal(full()))

		in, out := io.Pipe()
		go func() { _, _ = out.Write(document) }() // and nothing after it, not even an end
		Expect(readConfig(in)).To(Equal(full()))
	})

	DescribeTable("that cannot be is refused in a sentence", func(document, message string) {
		_, err := readConfig(strings.NewReader(document))
		Expect(err).To(MatchError(And(HavePrefix("read the node's configuration: "), ContainSubstring(message))))
	},
		Entry("none", "", "there is none"),
		Entry("cut off", `{"id": "n0"`, "unexpected EOF"),
		Entry("no JSON", "hello", "invalid character 'h'"),
		Entry("another type", "[]", "cannot unmarshal array"),
		Entry("empty", "{}", "it has no id\nit has no dir\nit has no control"),
		Entry("no address", "{}", "address: missing port in address"),
		Entry("a port for each life", `{"address": "127.0.0.1:0"}`, "127.0.0.1:0 is no address that others could know"),
		Entry("an unknown key", `{"name": "n0"}`, `unknown field "name"`),
		Entry("a log level that is none", `{"log_level": "loud"}`, `there is no log level "loud"`),
		Entry("a socket's path that is too long", `{"control": "/`+strings.Repeat("x", MaxControl)+`"}`, "control is longer than 103 bytes"),
		Entry("a member without a name", `{"first": [{"address": "h:1"}]}`, `the host at "h:1" has no name`),
		Entry("orders that cannot be", `{"orders": {"links": [{"from": "a"}]}}`, `link from "a" to "": a link has two ends`),
		Entry("too long", strings.Repeat(" ", maxDocument)+"{}", "it is longer than 1048576 bytes"),
	)
})

var _ = Describe("Orders", func() {
	DescribeTable("that cannot be are refused in a sentence", func(orders Orders, message string) {
		Expect(orders.Validate()).To(MatchError(message))
	},
		Entry(nil, Orders{Hosts: []Host{{"n1", "nowhere"}}}, `host "n1": address nowhere: missing port in address`),
		Entry(nil, Orders{Links: []LinkRule{{network.Link{From: "a", To: "b"}, fault.Rule{Loss: 1}}}}, `link from "a" to "b": loss 1 must be at least 0 and below 1`),
		Entry(nil, Orders{Resets: []network.Link{{To: "b"}}}, `reset from "" to "b": a link has two ends`),
		Entry(nil, Orders{Disk: &fault.Disk{Slow: -1}}, "a disk cannot be slower by -1ns"),
	)

	It("may be none", func() { Expect(Orders{}.Validate()).To(Succeed()) })
})

// FuzzConfig: whatever comes, it is refused, or is a configuration that is
// read again from what it is written as.
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
