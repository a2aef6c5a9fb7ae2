package edn_test

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/internal/edn"
)

func TestEDN(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "EDN")
}

func read(text string) (values []any, err error) {
	r := edn.NewReader(bufio.NewReader(strings.NewReader(text)))
	for {
		v, err := r.Read()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return values, err
		}
		values = append(values, v)
	}
}

var _ = Describe("EDN", func() {
	DescribeTable("is read", func(text string, value any) {
		values, err := read(text)
		Expect(err).NotTo(HaveOccurred())
		Expect(values).To(HaveLen(1))
		if value == nil {
			Expect(values[0]).To(BeNil())
			return
		}
		Expect(values[0]).To(Equal(value))
	},
		Entry("nil", "nil", nil),
		Entry("true", "true", true),
		Entry("an integer", "-12", int64(-12)),
		Entry("a large integer", "9223372036854775807", int64(1<<63-1)),
		Entry("an arbitrary-precision integer", "12N", int64(12)),
		Entry("a float", "1.5e3", 1500.0),
		Entry("text", `"a\"b\n\u00e9"`, "a\"b\né"),
		Entry("a keyword", ":type", edn.Keyword("type")),
		Entry("a symbol", "foo/bar", edn.Symbol("foo/bar")),
		Entry("a minus", "-", edn.Symbol("-")),
		Entry("a character", `\a`, 'a'),
		Entry("a named character", `\newline`, '\n'),
		Entry("a vector", "[1, [2] []]", edn.Vector{int64(1), edn.Vector{int64(2)}, edn.Vector{}}),
		Entry("a list", "(1 2)", edn.Vector{int64(1), int64(2)}),
		Entry("a map", "{:a 1 :b nil}", edn.Map{{Key: edn.Keyword("a"), Value: int64(1)}, {Key: edn.Keyword("b"), Value: nil}}),
		Entry("a set", "#{1 2}", edn.Set{int64(1), int64(2)}),
		Entry("a tagged value", `#inst "2026"`, edn.Tagged{Tag: "inst", Value: "2026"}),
		Entry("a tagged map", `#jepsen.history.Op{:index 0}`,
			edn.Tagged{Tag: "jepsen.history.Op", Value: edn.Map{{Key: edn.Keyword("index"), Value: int64(0)}}}),
		Entry("a value after a discarded value", "#_ [1 2] ; a comment\n 3", int64(3)),
		Entry("the end of a vector after a discarded value", "[1 #_ 2]", edn.Vector{int64(1)}),
	)

	DescribeTable("is rejected with the line", func(text, problem string) {
		_, err := read(text)
		Expect(err).To(MatchError(problem))
	},
		Entry("an unterminated vector", "\n[1", "line 2: unexpected end of input within a value"),
		Entry("an unterminated string", `"a`, "line 1: unexpected end of input within a value"),
		Entry("the wrong closing character", "[1}", `line 1: unexpected '}'`),
		Entry("a closing character alone", ")", `line 1: unexpected ')'`),
		Entry("a key alone", "{:a}", "line 1: a map has a key without a value"),
		Entry("a number that is too large", "99999999999999999999", "line 1: 99999999999999999999 does not fit into 64 bits"),
		Entry("an unknown escape", `"\q"`, `line 1: unknown escape \q in a string`),
		Entry("too much nesting", strings.Repeat("[", 2000), "line 1: values are nested more than 1000 deep"),
	)

	It("is formatted as it was read", func() {
		const text = `{:a [1 nil "x"], :b #{:k}, #t 1 \c}`
		values, err := read(text)
		Expect(err).NotTo(HaveOccurred())
		Expect(edn.Text(values[0])).To(Equal(text))
		Expect(values[0].(edn.Map).Get("a")).To(Equal(edn.Vector{int64(1), nil, "x"}))
		Expect(values[0].(edn.Map).Get("z")).To(BeNil())
	})
})

func FuzzRead(f *testing.F) {
	f.Add(`{:type :ok, :f :txn, :value [[:append 1 2] [:r 3 [1 2]]], :time 12, :process 0, :index 1}`)
	f.Add(`#_ #{1} ; x` + "\n" + `(\newline "\u00e9" 1.5M -2N ##Inf)`)
	f.Fuzz(func(t *testing.T, text string) {
		values, err := read(text)
		if err != nil {
			return
		}
		for _, v := range values {
			again, err := read(edn.Text(v))
			if err != nil || len(again) != 1 {
				continue // Text does not escape characters and symbols
			}
			if edn.Text(again[0]) != edn.Text(v) {
				t.Fatalf("%q is read back as %q", edn.Text(v), edn.Text(again[0]))
			}
		}
	})
}
