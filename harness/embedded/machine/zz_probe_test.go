package machine

import (
	"fmt"
	"testing"

	"github.com/hashicorp/raft"
)

func benchApply(b *testing.B, size int, id bool) {
	m, err := Open(b.TempDir(), Options{})
	if err != nil { b.Fatal(err) }
	defer m.Close()
	e, _ := Entry{SQL: "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER)"}.Encode()
	m.Apply(&raft.Log{Index: 1, Term: 1, Data: e})
	index := uint64(1)
	b.ResetTimer()
	for n := 0; n < b.N; {
		logs := make([]*raft.Log, size)
		for i := range logs {
			index++
			en := Entry{SQL: "INSERT INTO t (name, n) VALUES (?, ?)", Params: []any{"alice", int64(index)}, Time: 1}
			if id { en.ID = fmt.Sprintf("request-%d", index) }
			d, _ := en.Encode()
			logs[i] = &raft.Log{Index: index, Term: 1, Data: d}
		}
		for _, r := range m.ApplyBatch(logs) {
			if r.(Response).Err != nil { b.Fatal(r) }
		}
		n += size
	}
}

func BenchmarkP(b *testing.B) {
	for _, size := range []int{1, 64, 512} {
		for _, id := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/%v", size, id), func(b *testing.B) { benchApply(b, size, id) })
		}
	}
}
