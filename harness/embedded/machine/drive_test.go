package machine_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// noon is the time of these specs' entries, in milliseconds since the Unix epoch.
const noon = 1_700_000_000_123

// node is a machine with its own log.
type node struct {
	*machine.Machine
	dir   string
	index uint64
}

func open(options machine.Options) *node { return openIn(GinkgoT().TempDir(), options) }

func openIn(dir string, options machine.Options) *node {
	GinkgoHelper()
	m, err := machine.Open(dir, options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(m.Close)
	return &node{Machine: m, dir: dir}
}

// do applies one entry.
func (n *node) do(sql string, params ...any) machine.Response {
	GinkgoHelper()
	return n.entry(machine.Entry{SQL: sql, Params: params, Time: noon})
}

func (n *node) entry(e machine.Entry) machine.Response {
	GinkgoHelper()
	return n.batch(e)[0]
}

// must applies one entry, which must succeed, and returns its last result.
func (n *node) must(sql string, params ...any) machine.Result {
	GinkgoHelper()
	response := n.do(sql, params...)
	Expect(response.Err).NotTo(HaveOccurred(), sql)
	if len(response.Results) == 0 {
		return machine.Result{}
	}
	return response.Results[len(response.Results)-1]
}

// batch applies entries as one batch.
func (n *node) batch(entries ...machine.Entry) []machine.Response {
	GinkgoHelper()
	return n.apply(logs(n.index, entries...))
}

func (n *node) apply(logs []*raft.Log) []machine.Response {
	var out []machine.Response
	for _, answer := range n.ApplyBatch(logs) {
		out = append(out, answer.(machine.Response))
	}
	n.index = logs[len(logs)-1].Index
	return out
}

// digest returns the machine's index and digest.
func (n *node) digest() string {
	GinkgoHelper()
	index, sum, err := n.Digest(context.Background())
	Expect(err).NotTo(HaveOccurred())
	return fmt.Sprint(index, " ", sum)
}

// read runs one query on a new view.
func (n *node) read(sql string, params ...any) [][]any {
	GinkgoHelper()
	view, err := n.View(context.Background())
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(view.Close()).To(Succeed()) }()
	rows, err := ask(view, sql, params...)
	Expect(err).NotTo(HaveOccurred(), sql)
	return rows
}

func ask(view *machine.View, sql string, params ...any) ([][]any, error) {
	return askUntil(context.Background(), view, sql, params...)
}

func askUntil(ctx context.Context, view *machine.View, sql string, params ...any) (out [][]any, err error) {
	rows, _, err := view.Query(ctx, sqltext.Statement{Text: sql}, params)
	if err != nil {
		return nil, err
	}
	return drain(rows)
}

func drain(rows *sqlite.Rows) (out [][]any, err error) {
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return out, rows.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("%w (%v)", err, rows.Close())
		}
		out = append(out, append([]any{}, row...))
	}
}

// snapshot returns the bytes of a snapshot.
func (n *node) snapshot() []byte {
	GinkgoHelper()
	s, err := n.Snapshot()
	Expect(err).NotTo(HaveOccurred())
	defer s.Release()
	sink := &sink{}
	Expect(s.Persist(sink)).To(Succeed())
	Expect(sink.ended).To(Equal("closed"))
	return sink.bytes
}

func (n *node) restore(snapshot []byte) {
	GinkgoHelper()
	Expect(n.Restore(io.NopCloser(bytes.NewReader(snapshot)))).To(Succeed())
	n.index = n.Applied()
}

// sink keeps a snapshot in memory.
type sink struct {
	bytes []byte
	ended string
}

func (s *sink) Write(p []byte) (int, error) { s.bytes = append(s.bytes, p...); return len(p), nil }
func (s *sink) ID() string                  { return "snapshot" }
func (s *sink) Close() error                { s.ended = "closed"; return nil }
func (s *sink) Cancel() error               { s.ended = "cancelled"; return nil }

// logs returns entries as log entries that follow the index after.
func logs(after uint64, entries ...machine.Entry) []*raft.Log {
	GinkgoHelper()
	var out []*raft.Log
	for i, e := range entries {
		data, err := e.Encode()
		Expect(err).NotTo(HaveOccurred())
		out = append(out, &raft.Log{Index: after + uint64(i) + 1, Term: 1, Type: raft.LogCommand, Data: data})
	}
	return out
}

func entries(statements ...string) []machine.Entry {
	var out []machine.Entry
	for _, sql := range statements {
		out = append(out, machine.Entry{SQL: sql, Time: noon})
	}
	return out
}

// plain returns responses in a comparable form. Errors are compared by their text.
func plain(responses []machine.Response) []string {
	var out []string
	for _, r := range responses {
		out = append(out, fmt.Sprintf("%#v %v", r.Results, r.Err))
	}
	return out
}

// split cuts logs into random batches.
func split(r *rand.Rand, logs []*raft.Log) [][]*raft.Log {
	var out [][]*raft.Log
	for len(logs) > 0 {
		n := 1 + r.IntN(min(len(logs), 12))
		out, logs = append(out, logs[:n]), logs[n:]
	}
	return out
}

// sum returns the digest of a machine without its index.
func sum(n *node) string { return strings.Fields(n.digest())[1] }
