package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/findings"
)

// a row that was shown; change makes another one of it.
func a(change func(*row)) row {
	r := row{Module: "madeup", Date: "2026-11-30", Shown: true, Record: findings.Record{
		Finding: findings.Finding{Title: "a row is gone", Setting: "defaults", Claim: "its manual", Layer: findings.Server,
			Upstream: "https://example.com/maker/db/issues/7"},
		Database: "madeup", Version: "1.0", Seen: "1 of 2 rows", Seed: 17,
	}}
	change(&r)
	return r
}

var (
	gone    = a(func(*row) {})
	stale   = a(func(r *row) { r.Title, r.Expected, r.Upstream = "a read is stale", true, "" })
	missed  = a(func(r *row) { r.Title, r.Shown, r.Seen = "a row is twice", false, "not seen: a row is twice" })
	foreign = a(func(r *row) { r.Module, r.Database, r.Layer = "other", "Other", findings.Driver })
)

var _ = Describe("The tables", func() {
	It("count what breaks a claim apart from what is expected, and from what was not shown again", func() {
		const head = ":\n\n| database | setting | finding | layer | seen | upstream | ran |\n| --- | --- | --- | --- | --- | --- | --- |\n"
		Expect(tables([]row{stale, gone, missed, foreign})).To(Equal("2 that break a claim of the makers" + head +
			"| madeup 1.0 | defaults | a row is gone | server | 1 of 2 rows | [db 7](https://example.com/maker/db/issues/7) | 2026-11-30 |\n" +
			"| Other 1.0 | defaults | a row is gone | driver | 1 of 2 rows | [db 7](https://example.com/maker/db/issues/7) | 2026-11-30 |\n" +
			"\n1 that is expected, because the makers document it as not promised" + head +
			"| madeup 1.0 | defaults | a read is stale | server | 1 of 2 rows | none known | 2026-11-30 |\n" +
			"\n1 that was not shown again by the last run" + head +
			"| madeup 1.0 | defaults | a row is twice | server | not seen: a row is twice | [db 7](https://example.com/maker/db/issues/7) " +
			"| 2026-11-30 |\n\n"))
	})

	It("stay one line a row, whatever was seen", func() {
		odd := a(func(r *row) { r.Seen = "a|b\n<!-- c -->" })
		Expect(tables([]row{odd})).To(ContainSubstring(`| a\|b &lt;!-- c --> |`))
	})

	It("are written between the marks of a file, and nowhere else", func() {
		before, after := "# Page\n"+beginMark, endMark+"\nthe end\n"
		text, err := written(before+"what stood there\n"+after, []row{gone})
		Expect(err).NotTo(HaveOccurred())
		Expect(text).To(Equal(before + "\n" + tables([]row{gone}) + after))
		_, err = written("# Page\n", []row{gone})
		Expect(err).To(MatchError(ContainSubstring("there are no marks")))
	})
})

var _ = Describe("The record", func() {
	It("is what README.md shows", func() {
		root := filepath.Join("..", "..", "..")
		rows, err := load(filepath.Join(root, recordFile))
		Expect(err).NotTo(HaveOccurred())
		Expect(rows).NotTo(BeEmpty())
		page, err := os.ReadFile(filepath.Join(root, "README.md"))
		Expect(err).NotTo(HaveOccurred())
		text, err := written(string(page), rows)
		Expect(err).NotTo(HaveOccurred())
		_, shown, _ := strings.Cut(string(page), beginMark)
		Expect(text).To(HaveSuffix(shown), "make findings WRITE=1 writes the tables of README.md: do not edit them")
	})

	It("comes back from its file", func() {
		path := filepath.Join(GinkgoT().TempDir(), "record.json")
		Expect(load(path)).To(BeEmpty())
		Expect(save(path, []row{gone, missed})).To(Succeed())
		Expect(load(path)).To(Equal([]row{gone, missed}))
	})

	It("keeps the rows of modules that did not run", func() {
		newer := a(func(r *row) { r.Date = "2026-12-01" })
		Expect(merge([]row{foreign, gone}, outcome{module: "madeup", rows: []row{newer}}, true)).To(Equal([]row{newer, foreign}))
		Expect(merge([]row{foreign, gone}, outcome{module: "madeup", absent: "install it"}, true)).To(Equal([]row{foreign, gone}))
	})

	It("forgets findings that the module has no more, if all of it ran", func() {
		some := outcome{module: "madeup", rows: []row{missed}}
		Expect(merge([]row{gone, stale}, some, true)).To(Equal([]row{missed}))
		Expect(merge([]row{gone, stale}, some, false)).To(Equal([]row{stale, gone, missed}))
	})
})

var _ = Describe("A report", func() {
	spec := func(kind types.NodeType, state types.SpecState, message string, entries ...types.ReportEntry) types.SpecReport {
		return types.SpecReport{LeafNodeType: kind, LeafNodeText: "a row is gone", State: state, ReportEntries: entries,
			Failure: types.Failure{Message: message}}
	}
	entry := func(r findings.Record) types.ReportEntry {
		return types.ReportEntry{Name: findings.Entry, Value: types.WrapEntryValue(r)}
	}
	unseen := gone.Record
	unseen.Seen = ""
	day := time.Date(2026, 11, 30, 12, 0, 0, 0, time.Local)

	DescribeTable("of a suite is judged", func(s types.SpecReport, check func(outcome)) {
		o := outcome{module: "madeup"}
		Expect(o.add(s, day)).To(Succeed())
		check(o)
	},
		Entry("as shown, if the finding was seen", spec(types.NodeTypeIt, types.SpecStatePassed, "", entry(gone.Record)), func(o outcome) {
			Expect(o).To(Equal(outcome{module: "madeup", rows: []row{gone}}))
			Expect(o.missed()).To(BeFalse())
		}),
		Entry("as missed, if it was not", spec(types.NodeTypeIt, types.SpecStateFailed, "not\nseen", entry(unseen)), func(o outcome) {
			Expect(o.rows).To(HaveExactElements(HaveField("Seen", "not seen")))
			Expect(o.missed()).To(BeTrue())
		}),
		Entry("as missed, if its time was over", spec(types.NodeTypeIt, types.SpecStateTimedout, "late", entry(gone.Record)), func(o outcome) {
			Expect(o.missed()).To(BeTrue())
		}),
		Entry("as broken, if the spec failed without a record", spec(types.NodeTypeIt, types.SpecStatePanicked, "nil"), func(o outcome) {
			Expect(o.broken).To(Equal("a row is gone: nil"))
			Expect(o.missed()).To(BeTrue())
		}),
		Entry("as absent, if the suite is skipped",
			spec(types.NodeTypeSynchronizedBeforeSuite, types.SpecStateSkipped, "apt-get install madeup"), func(o outcome) {
				Expect(o).To(Equal(outcome{module: "madeup", absent: "apt-get install madeup"}))
				Expect(o.missed()).To(BeFalse())
				Expect(unavailable([]outcome{o})).To(Equal("madeup did not run: apt-get install madeup\n"))
			}),
		Entry("as broken, if the suite cannot begin", spec(types.NodeTypeBeforeSuite, types.SpecStateFailed, "no disk"), func(o outcome) {
			Expect(o.missed()).To(BeTrue())
			Expect(unavailable([]outcome{o})).To(Equal("madeup failed: no disk\n"))
		}),
		Entry("as nothing, if another spec was skipped", spec(types.NodeTypeIt, types.SpecStateSkipped, ""), func(o outcome) {
			Expect(o).To(Equal(outcome{module: "madeup"}))
		}),
	)

	It("without a finding is an error of the suite", func() {
		path := filepath.Join(GinkgoT().TempDir(), "report.json")
		Expect(os.WriteFile(path, []byte("[]"), 0o600)).To(Succeed())
		o, err := read(path, "madeup", day)
		Expect(err).NotTo(HaveOccurred())
		Expect(o.missed()).To(BeTrue())
		_, err = read(path+".missing", "madeup", day)
		Expect(errors.Is(err, os.ErrNotExist)).To(BeTrue())
	})
})

var _ = Describe("A run", func() {
	It("says which finding runs, and how far it is", func() {
		var out strings.Builder
		last := follow("madeup", strings.NewReader("Will run 2 of 40 specs\n---\n  finding: a row is gone\n"+
			"  STEP: cutting the leader off @ 11/30/26\n  finding: seen: 1 of 2 rows\n  finding: a row is twice\n  finding: not seen\nFAIL\n"), &out)
		Expect(out.String()).To(Equal("madeup: 1/2 a row is gone\nmadeup:       cutting the leader off\nmadeup:       seen: 1 of 2 rows\n" +
			"madeup: 2/2 a row is twice\nmadeup:       not seen\n"))
		Expect(last).To(HaveLen(5))
		Expect(last[4]).To(Equal("FAIL"))
	})

	It("knows the modules that have findings", func() {
		known, err := modules(filepath.Join("..", ".."))
		Expect(err).NotTo(HaveOccurred())
		Expect(choose(known, "patroni,dqlite")).To(HaveExactElements(HaveField("String()", "patroni"), HaveField("String()", "dqlite")))
		Expect(choose(known, "")).To(Equal(known))
		Expect(choose(known, "none")).To(BeEmpty())
		_, err = choose(known, "oracle")
		Expect(err).To(MatchError(ContainSubstring("there is no such module")))
		_, err = modules(GinkgoT().TempDir())
		Expect(err).To(MatchError(ContainSubstring("run the command in the folder of Rejoin's module")))
	})
})
