package wire_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

var _ = Describe("Values", func() {
	DescribeTable("have a unique encoding and are decoded unchanged",
		func(v any, written string) {
			row, err := wire.AppendRow(nil, []any{v, v})
			Expect(err).NotTo(HaveOccurred())
			Expect(string(row)).To(Equal("[" + written + "," + written + "]"))

			Expect(json.Valid(row)).To(BeTrue(), "the standard library must accept it")
			values, err := wire.ParseRow(row)
			Expect(err).NotTo(HaveOccurred())
			Expect(values).To(HaveLen(2))
			Expect(values[0]).To(beSame(v))
		},
		Entry("NULL", nil, `null`),
		Entry("zero", int64(0), `0`),
		Entry("the least integer", int64(math.MinInt64), `-9223372036854775808`),
		Entry("the greatest integer", int64(math.MaxInt64), `9223372036854775807`),
		Entry("below the floats' integers", int64(1<<53-1), `9007199254740991`),
		Entry("above the floats' integers", int64(1<<53+1), `9007199254740993`),
		Entry("a whole float", 1.0, `1.0`),
		Entry("a float zero", 0.0, `0.0`),
		Entry("a negative zero", math.Copysign(0, -1), `-0.0`),
		Entry("a tenth", 0.1, `0.1`),
		Entry("a third", 1.0/3, `0.3333333333333333`),
		Entry("2^53", float64(1<<53), `9007199254740992.0`),
		Entry("a small float", 1e-7, `1e-07`),
		Entry("the least float", 5e-324, `5e-324`),
		Entry("a large float", 1e308, `1e+308`),
		Entry("the largest float", math.MaxFloat64, `1.7976931348623157e+308`),
		Entry("infinity", math.Inf(1), `9e999`),
		Entry("negative infinity", math.Inf(-1), `-9e999`),
		Entry("an empty text", "", `""`),
		Entry("a text", "alice", `"alice"`),
		Entry("quotes and backslashes", `a"b\c/`, `"a\"b\\c/"`),
		Entry("control characters", "\x00\b\f\n\r\t\x1f\x7f", "\"\\u0000\\b\\f\\n\\r\\t\\u001f\x7f\""),
		Entry("line separators", "\u2028\u2029", "\"\u2028\u2029\""),
		Entry("an emoji", "👩‍🚀", `"👩‍🚀"`),
		Entry("right to left", "שלום \u202eعالم", "\"שלום \u202eعالم\""),
		Entry("the replacement character itself", "\ufffd", "\"\ufffd\""),
		Entry("text that is not UTF-8", "a\xff", `{"text_base64":"Yf8="}`),
		Entry("a surrogate half in bytes", "\xed\xa0\x80", `{"text_base64":"7aCA"}`),
		Entry("an empty blob", []byte{}, `{"base64":""}`),
		Entry("a blob", []byte{0, 1, 255}, `{"base64":"AAH/"}`),
	)

	It("include large blobs and texts", func() {
		blob := []byte(strings.Repeat("\x00\xfe\x22", 350_000))
		text := strings.Repeat("héllo\n", 170_000)
		row, err := wire.AppendRow(nil, []any{blob, text})
		Expect(err).NotTo(HaveOccurred())
		values, err := wire.ParseRow(row)
		Expect(err).NotTo(HaveOccurred())
		Expect(reflect.DeepEqual(values, []any{blob, text})).To(BeTrue())
	})

	It("are decoded from decimal fractions as in the standard library", func() {
		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
		for range 20_000 {
			digits := strconv.FormatUint(random.Uint64()>>random.IntN(64), 10)
			if whole := random.IntN(len(digits)); whole > 0 {
				digits = digits[:whole] + "." + digits[whole:]
			} else {
				digits = "-0." + digits
			}
			expected, err := strconv.ParseFloat(digits, 64)
			Expect(err).NotTo(HaveOccurred())
			values, err := wire.ParseRow([]byte("[" + digits + "]"))
			Expect(err).NotTo(HaveOccurred())
			Expect(values[0]).To(beSame(expected))
		}
	})

	It("are encoded as NULL for NaN, and as an empty blob for a nil blob", func() {
		row, err := wire.AppendRow(nil, []any{math.NaN(), []byte(nil)})
		Expect(err).NotTo(HaveOccurred())
		Expect(string(row)).To(Equal(`[null,{"base64":""}]`))
	})

	It("keep all digits for a decoder that reads numbers as text", func() {
		row, err := wire.AppendRow(nil, []any{int64(math.MinInt64), int64(1<<53 + 1), 0.1, -5e-324})
		Expect(err).NotTo(HaveOccurred())
		d := json.NewDecoder(strings.NewReader(string(row)))
		d.UseNumber()
		var numbers []json.Number
		Expect(d.Decode(&numbers)).To(Succeed())
		Expect(numbers).To(Equal([]json.Number{"-9223372036854775808", "9007199254740993", "0.1", "-5e-324"}))
	})

	It("have five types, and the error names any other type", func() {
		before := []byte("before")
		row, err := wire.AppendRow(before, []any{int64(1), true})
		Expect(err).To(MatchError("value 2: the Go type bool is none of nil, int64, float64, string and []byte"))
		Expect(string(row)).To(Equal("before"))
	})

	DescribeTable("are decoded from other notations",
		func(written string, v any) {
			values, err := wire.ParseRow([]byte(written))
			Expect(err).NotTo(HaveOccurred())
			Expect(values).To(HaveLen(1))
			Expect(values[0]).To(beSame(v))
		},
		Entry("true", `[true]`, int64(1)),
		Entry("false", `[false]`, int64(0)),
		Entry("white space", " [\n\t1 \r] ", int64(1)),
		Entry("an integer minus zero", `[-0]`, int64(0)),
		Entry("a capital exponent", `[1E2]`, 100.0),
		Entry("an exponent with a sign", `[1.5e+1]`, 15.0),
		Entry("a float that underflows", `[1e-400]`, 0.0),
		Entry("a surrogate pair", `["\ud83d\ude00\/"]`, "😀/"),
		Entry("a spaced blob", `[ { "base64" : "AA==" } ]`, []byte{0}),
		Entry("an escaped solidus in a blob", `[{"base64":"AAH\/"}]`, []byte{0, 1, 255}),
		Entry("text in base64 that is UTF-8", `[{"text_base64":"YQ=="}]`, "a"),
	)

	DescribeTable("are rejected if they are not exact or ambiguous",
		func(row, reason string) {
			_, err := wire.ParseRow(slices.Clip([]byte(row)))
			Expect(err).To(MatchError(ContainSubstring(reason)))
		},
		Entry("beyond 64 bits", `[1,9223372036854775808]`,
			"value 2: the integer 9223372036854775808 does not fit in 64 bits; a float must be written with a point or an exponent"),
		Entry("below 64 bits", `[-9223372036854775809]`, "does not fit"),
		Entry("far beyond 64 bits", `[18446744073709551617]`, "does not fit"),
		Entry("a lone high surrogate", `["\ud83d"]`, "not a valid string"),
		Entry("a lone low surrogate", `["\ude00x"]`, "not a valid string"),
		Entry("two high surrogates", `["\ud83d\ud83d"]`, "not a valid string"),
		Entry("bytes that are not UTF-8", "[\"\xff\"]", "not a valid string"),
		Entry("a surrogate half in bytes", "[\"\xed\xa0\x80\"]", "not a valid string"),
		Entry("a raw control character", "[\"a\nb\"]", "not a valid string"),
		Entry("an unknown escape", `["\x41"]`, "not a valid string"),
		Entry("a string without end", `["a`, "not a valid string"),
		Entry("a string that ends in a backslash", `["a\`, "not a valid string"),
		Entry("an array", `[[1]]`, "an array is not a value"),
		Entry("an empty object", `[{}]`, "neither"),
		Entry("an unknown object", `[{"base65":""}]`, "neither"),
		Entry("two members", `[{"base64":"","text_base64":""}]`, "neither"),
		Entry("a blob that is null", `[{"base64":null}]`, "neither"),
		Entry("a blob that is a number", `[{"base64":1}]`, "neither"),
		Entry("a blob without padding", `[{"base64":"AA"}]`, "neither"),
		Entry("a blob with a line break", `[{"base64":"AA\n=="}]`, "neither"),
		Entry("a word", `[nil]`, "not a value"),
		Entry("a longer word", `[nullx]`, "followed by"),
		Entry("a leading zero", `[01]`, "not a valid number"),
		Entry("a plus", `[+1]`, "not a value"),
		Entry("a sign alone", `[-]`, "not a valid number"),
		Entry("a point at the end", `[1.]`, "not a valid number"),
		Entry("a point at the start", `[.5]`, "not a value"),
		Entry("an exponent without digits", `[1e+]`, "not a valid number"),
		Entry("hexadecimal", `[0x1p2]`, "followed by"),
		Entry("an underscore", `[1_0]`, "followed by"),
		Entry("a missing value", `[1,,2]`, "not a value"),
		Entry("a comma at the end", `[1,]`, "not a value"),
		Entry("a missing comma", `[1 2]`, "followed by"),
		Entry("trailing data", `[1]]`, "followed by"),
		Entry("no bracket", `1`, "not an array"),
		Entry("nothing", ``, "nothing is not an array"),
		Entry("no end", `[1`, "followed by nothing"),
	)
})
