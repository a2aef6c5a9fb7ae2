package machine_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

var _ = Describe("An entry", func() {
	DescribeTable("is unchanged by encoding and decoding", func(e machine.Entry) {
		data, err := e.Encode()
		Expect(err).NotTo(HaveOccurred())
		got, err := machine.Decode(data)
		Expect(err).NotTo(HaveOccurred())
		Expect(got).To(Equal(e))
	},
		Entry("that is a mark", machine.Entry{}),
		Entry("with everything", machine.Entry{SQL: "SELECT ?", Params: []any{nil, int64(1), "x"}, Time: noon, ID: "id"}),
		Entry("with numbers",
			machine.Entry{SQL: "x", Params: []any{int64(math.MinInt64), int64(math.MaxInt64), int64(1<<53 + 1), 0.5, 1.0, 5e-324, math.Inf(-1),
				math.MaxFloat64}}),
		Entry("with texts", machine.Entry{SQL: "\xff\x00", Params: []any{"", "\x00", "\xff\xfe", "𝄞"}, ID: "\xff"}),
		Entry("with blobs", machine.Entry{SQL: "x", Params: []any{[]byte{}, []byte{0}, []byte("text")}}),
		Entry("with any time", machine.Entry{SQL: "x", Time: math.MinInt64}),
	)

	It("keeps the sign of zero, and NaN", func() {
		data, err := machine.Entry{Params: []any{math.Copysign(0, -1), math.NaN()}}.Encode()
		Expect(err).NotTo(HaveOccurred())
		got, err := machine.Decode(data)
		Expect(err).NotTo(HaveOccurred())
		Expect(math.Signbit(got.Params[0].(float64))).To(BeTrue())
		Expect(got.Params[1]).To(Satisfy(func(v any) bool { return math.IsNaN(v.(float64)) }))
	})

	DescribeTable("is not encoded with a parameter of an unsupported type", func(param any) {
		_, err := machine.Entry{SQL: "SELECT ?", Params: []any{nil, param}}.Encode()
		Expect(err).To(MatchError(ContainSubstring("parameter 2 is a ")))
	},
		Entry(nil, true), Entry(nil, 1), Entry(nil, uint64(1)), Entry(nil, float32(1)), Entry(nil, time.Now()), Entry(nil, []any{}),
	)

	DescribeTable("is not decoded with a parameter of an unsupported type", func(param any) {
		data, err := cbor.Marshal(map[int]any{2: []any{param}})
		Expect(err).NotTo(HaveOccurred())
		_, err = machine.Decode(data)
		Expect(err).To(MatchError(HavePrefix("decode log entry: ")))
	},
		Entry(nil, true), Entry(nil, uint64(math.MaxUint64)), Entry(nil, []any{}), Entry(nil, map[string]any{"a": 1}),
		Entry(nil, cbor.Tag{Number: 1, Content: 5}),
	)

	It("is not encoded with more parameters than can be decoded", func() {
		params := make([]any, 1<<20+1)
		_, err := machine.Entry{Params: params}.Encode()
		Expect(err).To(MatchError(ContainSubstring("1048577 parameters exceed the limit of 1048576")))
		data, err := machine.Entry{Params: params[1:]}.Encode()
		Expect(err).NotTo(HaveOccurred())
		Expect(machine.Decode(data)).To(HaveField("Params", HaveLen(1<<20)))
	})

	It("that cannot be decoded stops the machine", func() {
		n := open(machine.Options{})
		log := logs(0, entries("CREATE TABLE t (v)", "SELECT 1")...)
		log[1].Data = []byte("no entry")
		Expect(plain(n.apply(log))).To(HaveEach(ContainSubstring("must be replaced: apply log index 2: decode log entry: ")))
		Expect(n.Applied()).To(BeZero())
	})
})

func FuzzDecode(f *testing.F) {
	for _, e := range []machine.Entry{{}, {SQL: "SELECT ?", Params: []any{nil, int64(-1), 1.5, "x", []byte{0}}, Time: noon, ID: "id"}} {
		data, err := e.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\xa1\x02\x81\xa1\x80\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := machine.Decode(data)
		if err != nil {
			return
		}
		again, err := e.Encode()
		if err != nil {
			t.Fatalf("%#v cannot be encoded: %v", e, err)
		}
		got, err := machine.Decode(again)
		if err != nil || !same(got, e) {
			t.Fatalf("%#v became %#v: %v", e, got, err)
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add("SELECT ?", "id", int64(1), "text", []byte{0}, int64(7), 2.5)
	f.Fuzz(func(t *testing.T, sql, id string, at int64, text string, blob []byte, i int64, x float64) {
		e := machine.Entry{SQL: sql, ID: id, Time: at, Params: []any{text, append([]byte{}, blob...), i, x, nil}}
		data, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := machine.Decode(data); err != nil || !same(got, e) {
			t.Fatalf("%#v became %#v: %v", e, got, err)
		}
	})
}

// same compares entries as SQLite sees them: a NaN is NULL, and empty parameters equal missing
// ones.
func same(a, b machine.Entry) bool {
	for _, e := range []*machine.Entry{&a, &b} {
		params := []any{}
		for _, p := range e.Params {
			if f, ok := p.(float64); ok && math.IsNaN(f) {
				p = nil
			}
			params = append(params, p)
		}
		e.Params = params
	}
	return reflect.DeepEqual(a, b)
}
