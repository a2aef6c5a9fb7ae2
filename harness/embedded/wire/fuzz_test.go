package wire_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// An accepted request is unchanged by encoding and decoding.
func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"sql":"SELECT ?",` +
		`"params":[null,-0,1e5,true,"\u0000\ud83d\ude00",{"base64":"AA=="},{"text_base64":"/w=="}],"consistency":"leader"}`))
	f.Add([]byte(`{"params":[9223372036854775808,[],{}],"sql":"\ud800"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := wire.DecodeRequest(bytes.NewReader(body))
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatal("accepted a request that is not JSON")
		}
		written, err := req.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := wire.DecodeRequest(bytes.NewReader(written))
		if err != nil {
			t.Fatal(err)
		}
		if again.SQL != req.SQL || again.Consistency != req.Consistency || !sameRow(again.Params, req.Params) {
			t.Fatalf("%#v became %#v", req, again)
		}
	})
}

// For any input, in any fragments, the reader terminates, gives the same result, and reports
// success only if the standard library agrees.
func FuzzReader(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(partial))
	f.Add([]byte(`{"status":"success","x":{"y":[1]},"results":[{"row_count":1, "rows" : [ [ 1 , ` +
		`"\\" ] ],"schema":[{"name":"a","data_type":{}}]},{}],"took":1e9,"error":null}`))
	f.Add([]byte(`{"status":"error","error":"x","results":[{"rows":[[1],[2]]}]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		seen, r := read(bytes.NewReader(answer))
		slowly, slow := read(iotest.OneByteReader(bytes.NewReader(answer)))
		if seen != slowly || (r.Err() == nil) != (slow.Err() == nil) {
			t.Fatalf("at once: %s, %v; one by one: %s, %v", seen, r.Err(), slowly, slow.Err())
		}

		limited := wire.NewReader(bytes.NewReader(answer))
		limited.LimitRow(64)
		decoded := true
		for limited.NextResult() {
			for limited.Next() {
				if len(limited.Raw()) > 64 {
					t.Fatal("a row over the limit")
				}
				_, err := limited.Row()
				decoded = decoded && err == nil
			}
		}
		if limited.Err() != nil || !decoded {
			return
		}
		var fields map[string]any
		if err := json.Unmarshal(answer, &fields); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
			t.Fatalf("accepted an answer that is not JSON: %v", err)
		}
		if fields["status"] != "success" || fields["error"] != nil {
			t.Fatalf("accepted %v as a success", fields)
		}
	})
}

// Values are unchanged by encoding and decoding, and equal rows have equal bytes.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(math.MinInt64), math.Float64bits(0.1), "a\x00\"\\\xff", []byte{0}, uint8(3))
	f.Add(int64(1<<53+1), math.Float64bits(math.Inf(-1)), "\u2028😀", []byte{}, uint8(20))
	f.Fuzz(func(t *testing.T, n int64, floatBits uint64, text string, blob []byte, rows uint8) {
		float := math.Float64frombits(floatBits)
		if math.IsNaN(float) {
			float = 0
		}
		if blob == nil {
			blob = []byte{}
		}
		row := []any{n, float, text, blob, nil}
		columns := make([]wire.Column, len(row))

		var answer bytes.Buffer
		w := wire.NewWriter(&answer, nil)
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(w.Result(columns))
		for range rows {
			must(w.Row(row))
		}
		must(w.EndResult(n))
		must(w.Close(0))
		if !json.Valid(answer.Bytes()) {
			t.Fatalf("not JSON: %s", answer.Bytes())
		}

		written, err := wire.AppendRow(nil, row)
		must(err)
		r := wire.NewReader(&answer)
		if !r.NextResult() {
			t.Fatal(r.Err())
		}
		for range rows {
			if !r.Next() || !bytes.Equal(r.Raw(), written) {
				t.Fatalf("wrote %s, read %s: %v", written, r.Raw(), r.Err())
			}
			values, err := r.Row()
			must(err)
			if !sameRow(values, row) {
				t.Fatalf("%#v became %#v", row, values)
			}
		}
		if r.Next() || r.Err() != nil {
			t.Fatal("an extra row, or: ", r.Err())
		}
		if changed, ok := r.Affected(); ok != (n >= 0) || ok && changed != n {
			t.Fatalf("affected %d became %d", n, changed)
		}
	})
}

func sameRow(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !same(a[i], b[i]) {
			return false
		}
	}
	return true
}
