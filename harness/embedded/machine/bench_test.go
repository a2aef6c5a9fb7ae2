package machine_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

func openBench(b *testing.B) *machine.Machine {
	m, err := machine.Open(b.TempDir(), machine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.Close(); err != nil {
			b.Error(err)
		}
	})
	applyBench(b, m, logBench(b, 1, machine.Entry{SQL: "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER)"}))
	return m
}

func logBench(b *testing.B, index uint64, e machine.Entry) *raft.Log {
	data, err := e.Encode()
	if err != nil {
		b.Fatal(err)
	}
	return &raft.Log{Index: index, Term: 1, Data: data}
}

func applyBench(b *testing.B, m *machine.Machine, logs ...*raft.Log) {
	for _, answer := range m.ApplyBatch(logs) {
		if err := answer.(machine.Response).Err; err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	for _, size := range []int{1, 64, 512} {
		for _, named := range []bool{false, true} {
			b.Run(fmt.Sprintf("batch=%d/id=%v", size, named), func(b *testing.B) {
				m := openBench(b)
				b.ReportAllocs()
				batch := make([]*raft.Log, 0, size)
				index := uint64(1)
				for b.Loop() {
					index++
					e := machine.Entry{SQL: "INSERT INTO t (name, n) VALUES (?, ?)", Params: []any{"alice", int64(index)}, Time: noon}
					if named {
						e.ID = fmt.Sprint("request-", index)
					}
					batch = append(batch, logBench(b, index, e))
					if len(batch) == size {
						applyBench(b, m, batch...)
						batch = batch[:0]
					}
				}
			})
		}
	}
}

const rows100k = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 100000) INSERT INTO t (name, " +
	"n) SELECT 'name of ' || n, n FROM r"

func snapshotBench(b *testing.B, m *machine.Machine) []byte {
	s, err := m.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Release()
	out := &sink{}
	if err := s.Persist(out); err != nil {
		b.Fatal(err)
	}
	return out.bytes
}

func BenchmarkSnapshot(b *testing.B) {
	m := openBench(b)
	applyBench(b, m, logBench(b, 2, machine.Entry{SQL: rows100k}))
	for b.Loop() {
		b.SetBytes(int64(len(snapshotBench(b, m))))
	}
}

func BenchmarkRestore(b *testing.B) {
	m := openBench(b)
	applyBench(b, m, logBench(b, 2, machine.Entry{SQL: rows100k}))
	snapshot := snapshotBench(b, m)
	other := openBench(b)
	b.SetBytes(int64(len(snapshot)))
	for b.Loop() {
		if err := other.Restore(io.NopCloser(bytes.NewReader(snapshot))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	m := openBench(b)
	applyBench(b, m, logBench(b, 2, machine.Entry{SQL: rows100k}))
	for b.Loop() {
		if _, _, err := m.Digest(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
