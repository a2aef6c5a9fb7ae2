package described_test

import (
	"math"
	"slices"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
)

func TestDescribed(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Described")
}

var _ = DescribeTable("Words of a command line", func(line string, words ...string) {
	Expect(described.Words(line)).To(Equal(words))
},
	Entry("are apart by white space", " a  b\tc\n", "a", "b", "c"),
	Entry("are kept together by quotes", `sh -c 'echo "x" y' "it's"`, "sh", "-c", `echo "x" y`, "it's"),
	Entry("may be empty", `a ''`, "a", ""),
	Entry("keep templates whole", `x {{if eq .Name "a b"}}y z{{end}}`, "x", `{{if eq .Name "a b"}}y`, "z{{end}}"),
	Entry("may have parts", `a{{.X}}'b c'd`, "a{{.X}}b cd"),
	Entry("are any letters", "ö 'ß €'", "ö", "ß €"),
)

var _ = DescribeTable("A command line is refused", func(line, message string) {
	_, err := described.Words(line)
	Expect(err).To(MatchError(message))
},
	Entry("with an open quote", `a "b`, `a " is not closed`),
	Entry("with an open template", "a {{b", "a {{ has no }}"),
	Entry("without a word", "  ", "the command is empty"),
)

var _ = DescribeTable("The function json of templates", func(as described.Encoding, value any, wanted string) {
	t, err := described.Template("{{json .}}", as)
	Expect(err).NotTo(HaveOccurred())
	Expect(described.Render(t, value)).To(Equal(wanted))
},
	Entry("writes every digit", described.Encoding{}, int64(-1<<63), "-9223372036854775808"),
	Entry("writes floats with a point", described.Encoding{}, 3.0, "3.0"),
	Entry("writes infinity as JSON can", described.Encoding{}, math.Inf(-1), "-9e999"),
	Entry("writes NaN as null", described.Encoding{}, math.NaN(), "null"),
	Entry("writes text that is not UTF-8", described.Encoding{Text: "t"}, "\xff", `{"t":"/w=="}`),
	Entry("writes floats as text", described.Encoding{Real: "real"}, 0.1, `{"real":"0.1"}`),
	Entry("writes blobs as base64", described.Encoding{}, []byte{0, 255}, `"AP8="`),
	Entry("writes blobs in objects", described.Encoding{Blob: "b"}, []any{[]byte{}, nil}, `[{"b":""},null]`),
	Entry("writes text as it is", described.Encoding{}, "<a> & \"b\"", `"<a> & \"b\""`),
	Entry("writes no parameters as a list", described.Encoding{}, []any(nil), "[]"),
)

var _ = It("A template writes nothing for what is missing", func() {
	t, err := described.Template("[{{.a}}{{.b.c}}]", described.Encoding{})
	Expect(err).NotTo(HaveOccurred())
	Expect(described.Render(t, map[string]any{"a": nil, "b": map[string]any{}})).To(Equal("[]"))
})

var _ = Describe("The names", func() {
	It("are those of all kinds of errors", func() {
		for _, kind := range target.Kinds() {
			Expect(described.Kinds()).To(ContainElement(kind))
		}
		Expect(described.Kinds()).To(HaveLen(len(target.Kinds())))
	})

	It("are those of all assumptions", func() {
		for _, a := range target.Assumptions() {
			Expect(described.Assumptions()).To(ContainElement(a))
		}
		Expect(described.Assumptions()).To(HaveLen(len(target.Assumptions())))
	})

	It("are in order", func() {
		Expect(slices.IsSorted(described.Names(described.Kinds()))).To(BeTrue())
	})
})
