package wire_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

const benchRows = 20_000

var benchColumns = []wire.Column{{Name: "id", Type: "INTEGER"}, {Name: "name", Type: "TEXT"}, {Name: "score", Type: "REAL"}}

// benchRow is a row of 25 bytes: [1234567,"alice",3.14159].
var benchRow = []any{int64(1234567), "alice", 3.14159}

func writeRows(w io.Writer, rows int, values []any) error {
	out := wire.NewWriter(w, nil)
	if err := out.Result(benchColumns); err != nil {
		return err
	}
	for range rows {
		if err := out.Row(values); err != nil {
			return err
		}
	}
	if err := out.EndResult(wire.ReadOnly); err != nil {
		return err
	}
	return out.Close(0)
}

func benchAnswer(b *testing.B) []byte {
	var answer bytes.Buffer
	if err := writeRows(&answer, benchRows, benchRow); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(answer.Len()))
	b.ReportAllocs()
	return answer.Bytes()
}

func BenchmarkWriter(b *testing.B) {
	benchAnswer(b)
	for b.Loop() {
		if err := writeRows(io.Discard, benchRows, benchRow); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReaderRaw(b *testing.B) {
	answer := benchAnswer(b)
	for b.Loop() {
		rows := 0
		r := wire.NewReader(bytes.NewReader(answer))
		for r.NextResult() {
			for r.Next() {
				if len(r.Raw()) > 0 {
					rows++
				}
			}
		}
		if r.Err() != nil || rows != benchRows {
			b.Fatal(rows, r.Err())
		}
	}
}

func BenchmarkReaderRow(b *testing.B) {
	answer := benchAnswer(b)
	for b.Loop() {
		r := wire.NewReader(bytes.NewReader(answer))
		for r.NextResult() {
			for r.Next() {
				if _, err := r.Row(); err != nil {
					b.Fatal(err)
				}
			}
		}
		if r.Err() != nil {
			b.Fatal(r.Err())
		}
	}
}
