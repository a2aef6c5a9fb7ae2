package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestJudge(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Judge")
}

// The lines of a journal: a write, and reads that are fresh, stale, and malformed.
const (
	header  = `{"rejoin_journal":1}` + "\n"
	written = `{"at":"2026-01-01T00:00:01Z","took_ns":1,"kind":"operation",` +
		`"op":{"client":1,"outcome":"ok","model":"register","steps":[{"do":"write","key":"x","value":1}]}}` + "\n"
	fresh = `{"at":"2026-01-01T00:00:02Z","took_ns":1,"kind":"operation",` +
		`"op":{"client":1,"outcome":"ok","model":"register","level":"strong","steps":[{"do":"read","key":"x","got":[1]}]}}` + "\n"
	stale = `{"at":"2026-01-01T00:00:03Z","took_ns":1,"kind":"operation",` +
		`"op":{"client":2,"outcome":"ok","model":"register","level":"strong","steps":[{"do":"read","key":"x","got":[]}]}}` + "\n"
	unfit = `{"at":"2026-01-01T00:00:03Z","took_ns":1,"kind":"operation",` +
		`"op":{"client":2,"outcome":"ok","model":"register","level":"strong","steps":[{"do":"get","key":"x"}]}}` + "\n"
	lossy = `{"rejoin_journal":1,"dropped":{"operation":3}}` + "\n"
	edn   = "{:type :invoke, :process 1, :f :write, :value 1}\n{:type :ok, :process 1, :f :write, :value 1}\n" +
		"{:type :invoke, :process 1, :f :read, :value nil}\n{:type :ok, :process 1, :f :read, :value 2}\n"
)

// judged runs the command with flags and files with these texts.
func judged(flags []string, texts ...string) (code int, out, problems string) {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	for i, text := range texts {
		name := filepath.Join(folder, string(rune('a'+i)))
		Expect(os.WriteFile(name, []byte(text), 0o600)).To(Succeed())
		flags = append(flags, name)
	}
	var printed, said bytes.Buffer
	code = run(flags, strings.NewReader(header+written+stale), &printed, &said)
	return code, strings.ReplaceAll(printed.String(), folder+string(filepath.Separator), ""), said.String()
}

var _ = Describe("The command judge", func() {
	DescribeTable("returns a code and prints the reason", func(code int, says string, texts ...string) {
		got, out, _ := judged(nil, texts...)
		Expect(out).To(ContainSubstring(says))
		Expect(got).To(Equal(code), out)
	},
		Entry("a sound history", sound, "a: sound\n", header+written+fresh),
		Entry("a broken history", broken, "a: BROKEN\n", header+written+stale),
		Entry("a history without a header", sound, "a: sound\n", written+fresh),
		Entry("a malformed history", notJudgable,
			`a: cannot be judged: read journal: line 3: step 1: "get" is no step of a register`, header+written+unfit),
		Entry("an empty history", notJudgable, "a: cannot be judged: the history holds nothing to judge", header),
		Entry("a history that lost operations", notJudgable,
			"a: cannot be judged: the history cannot be judged: the journal dropped 3 events", lossy+written+fresh),
		Entry("a broken Jepsen history", broken, "a: BROKEN\n", edn),
		Entry("a file that is neither", notJudgable,
			"a: cannot be judged: read history: line 1: an operation is a map, and this is hello", "hello\n"),
		Entry("a broken one after a sound one", broken, "b: BROKEN\n", header+written+fresh, header+written+stale),
		Entry("a broken one before a malformed one", broken, "b: cannot be judged", header+written+stale, header+written+unfit),
		Entry("a malformed one before a sound one", notJudgable, "b: sound\n", header+written+unfit, header+written+fresh),
	)

	It("prints the counterexample", func() {
		_, out, _ := judged(nil, header+written+stale)
		Expect(out).To(And(ContainSubstring("linearizable"), ContainSubstring("operation client 2: read x = []")))
	})

	It("reads standard input", func() {
		code, out, _ := judged([]string{"-"})
		Expect(code).To(Equal(broken))
		Expect(out).To(HaveSuffix("-: BROKEN\n"))
	})

	It("judges by the claimed rules", func() {
		code, out, _ := judged([]string{"-claim", "read-your-writes"}, header+written+stale)
		Expect(code).NotTo(Equal(broken), out)
		code, _, _ = judged([]string{"-claim", "linearizable"}, header+written+stale)
		Expect(code).To(Equal(broken))
	})

	It("judges availability", func() {
		late := strings.Replace(written, "00:00:01", "00:01:00", 1)
		refused := strings.Replace(strings.Replace(written, "00:00:01", "00:00:02", 1), `"ok"`, `"failed"`, 1)
		code, out, _ := judged([]string{"-available", "1s"}, header+written+refused+late)
		Expect(code).To(Equal(broken))
		Expect(out).To(ContainSubstring("no change was acknowledged for 58s"))
		code, _, _ = judged([]string{"-available", "1m"}, header+written+refused+late)
		Expect(code).To(Equal(sound))
	})

	It("lists the rules", func() {
		code, out, _ := judged([]string{"-rules"})
		Expect(code).To(Equal(sound))
		Expect(out).To(And(MatchRegexp(`\* linearizable +Each operation on a register`), MatchRegexp(`  serializable +Transactions`)))
	})

	DescribeTable("rejects wrong usage", func(problem string, args ...string) {
		var out, problems bytes.Buffer
		Expect(run(args, strings.NewReader(""), &out, &problems)).To(Equal(notJudgable))
		Expect(out.String() + problems.String()).To(ContainSubstring(problem))
	},
		Entry("no file", "no file given; see -help"),
		Entry("a missing file", "nowhere: cannot be judged: open nowhere: no such file", "nowhere"),
		Entry("an unknown rule", `unknown rule "best": the rules are one-leader-a-term, converged`, "-claim", "best", "-"),
		Entry("an unknown level", "-level fresh: must be local, leader or strong", "-level", "fresh", "-"),
		Entry("an invalid balance", "must be an integer, 0 or more", "-balance", "rich", "-"),
	)
})
