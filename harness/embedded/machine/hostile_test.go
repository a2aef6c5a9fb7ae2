package machine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/hostile"
)

// narrow limits are reached quickly, so that all statements run within seconds.
var narrow = machine.Options{Budget: 6_000_000, Memory: 16 << 20, AnswerLimit: 1 << 20, ReadBudget: 3_000_000, ReadMemory: 8 << 20}

// hostileLog returns the entries for one class: each statement, its setup before it, and an
// ordinary change after it.
func hostileLog(statements []hostile.Statement) []machine.Entry {
	GinkgoHelper()
	base, err := hostile.Base()
	Expect(err).NotTo(HaveOccurred())
	texts := slices.Clone(base)
	for i, s := range statements {
		texts = append(texts, s.Setup...)
		texts = append(texts, s.SQL, fmt.Sprintf("INSERT INTO after VALUES (%d, random())", i))
	}
	out := entries("CREATE TABLE after (number INTEGER PRIMARY KEY, v)")
	for _, sql := range texts {
		e := machine.Entry{SQL: sql, Time: noon}
		if strings.Contains(sql, "INTO after") {
			e.ID = sql
		}
		out = append(out, e)
	}
	return out
}

func hostileClasses() (classes [][]hostile.Statement) {
	all, err := hostile.Load()
	if err != nil {
		panic(err)
	}
	for _, s := range all {
		if n := len(classes); n > 0 && classes[n-1][0].Class == s.Class {
			classes[n-1] = append(classes[n-1], s)
			continue
		}
		classes = append(classes, []hostile.Statement{s})
	}
	return classes
}

var _ = Describe("Hostile statements", func() {
	for _, statements := range hostileClasses() {
		It("get the same answers from machines with different histories, which keep running: "+statements[0].Class, func() {
			log := logs(0, hostileLog(statements)...)
			single := open(narrow)
			var want []string
			slowest, which := time.Duration(0), uint64(0)
			for i := range log {
				begun := time.Now()
				want = append(want, plain(single.apply(log[i:i+1]))...)
				if took := time.Since(begun); took > slowest {
					slowest, which = took, log[i].Index
				}
			}
			Expect(want[1]).To(HaveSuffix(" <nil>"), "the base")
			GinkgoWriter.Printf("%d entries, the slowest took %v: log index %d\n", len(log), slowest, which)
			Expect(slowest).To(BeNumerically("<", time.Minute), "log index %d", which)

			batched := open(narrow)
			half := len(log) / 2
			var got []string
			for batch := range slices.Chunk(log[:half], 7) {
				got = append(got, plain(batched.apply(batch))...)
			}
			restored := open(narrow)
			restored.restore(batched.snapshot())
			rest := []string{}
			for batch := range slices.Chunk(log[half:], 3) {
				rest = append(rest, plain(restored.apply(batch))...)
			}
			for batch := range slices.Chunk(log[half:], 11) {
				got = append(got, plain(batched.apply(batch))...)
			}
			for i := range want {
				Expect(got[i]).To(Equal(want[i]), "log index %d, batched: %.200s", i+1, log[i].Data)
				if i >= half {
					Expect(rest[i-half]).To(Equal(want[i]), "log index %d, restored: %.200s", i+1, log[i].Data)
				}
			}
			Expect(batched.digest()).To(Equal(single.digest()))
			Expect(restored.digest()).To(Equal(single.digest()))
			Expect(single.read("SELECT count(*) FROM after")).To(Equal([][]any{{int64(len(statements))}}),
				"the change after each statement is applied")
			for _, n := range []*node{single, batched, restored} {
				Expect(n.Failed()).NotTo(HaveOccurred())
			}
		})
	}

	It("also end as reads, within the limits of reads", func() {
		n := open(narrow)
		base, err := hostile.Base()
		Expect(err).NotTo(HaveOccurred())
		n.must(base[0])
		over := 0
		for _, statements := range hostileClasses() {
			for _, s := range statements {
				view, err := n.View(context.Background())
				Expect(err).NotTo(HaveOccurred())
				_, err = ask(view, s.SQL)
				Expect(view.Close()).To(Succeed(), s.String())
				if overLimit(err) {
					over++
				}
			}
		}
		Expect(over).To(BeNumerically(">", 5))
		for range 10 {
			Expect(n.read("SELECT count(*) FROM t")).To(HaveLen(1))
		}
		Expect(n.Failed()).NotTo(HaveOccurred())
	})
})

func overLimit(err error) bool {
	for _, limit := range []error{sqlite.ErrBudget, sqlite.ErrMemory, sqlite.ErrTooLarge} {
		if err != nil && strings.Contains(err.Error(), limit.Error()) {
			return true
		}
	}
	return false
}

var _ = Describe("An operator", func() {
	poison := "INSERT INTO t VALUES (1)"

	It("can skip an entry on every machine, which refuses and reports it", func() {
		log := logs(0, entries("CREATE TABLE t (v)", poison, "INSERT INTO t VALUES (2)")...)
		skip := []machine.Skipped{{Index: 2, Digest: machine.EntryDigest(log[1])}}
		single, whole := open(machine.Options{Skip: skip}), open(machine.Options{Skip: skip})
		var got []machine.Response
		for i := range log {
			got = append(got, single.apply(log[i:i+1])...)
		}
		Expect(got[1].Err).To(MatchError(machine.ErrSkipped))
		Expect(plain(whole.apply(log))).To(Equal(plain(got)))
		for _, n := range []*node{single, whole} {
			Expect(n.read("SELECT v FROM t")).To(Equal([][]any{{int64(2)}}))
			Expect(n.Skipped()).To(Equal([]uint64{2}))
			Expect(n.Applied()).To(BeEquivalentTo(3))
		}
		Expect(single.digest()).To(Equal(whole.digest()))
	})

	It("gets the digest of the entry if it does not match", func() {
		log := logs(0, entries("CREATE TABLE t (v)", poison)...)
		n := open(machine.Options{Skip: []machine.Skipped{{Index: 2, Digest: "unknown"}}})
		responses := n.apply(log)
		Expect(responses[1].Err).To(MatchError(ContainSubstring(machine.EntryDigest(log[1]))))
		Expect(n.Failed()).To(HaveOccurred())
		Expect(n.Skipped()).To(BeEmpty())
	})
})

var _ = Describe("An interrupted machine", func() {
	It("ends the current entry at once, and does not fail", func() {
		n := open(machine.Options{Budget: 1 << 50})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		done := make(chan machine.Response, 1)
		go func() {
			defer GinkgoRecover()
			done <- n.do(runawayWriting)
		}()
		Consistently(done, "50ms").ShouldNot(Receive())
		n.Interrupt()
		var response machine.Response
		Eventually(done, "30s").Should(Receive(&response))
		Expect(response.Err).To(MatchError(machine.ErrClosed))
		Expect(n.Failed()).NotTo(HaveOccurred())
		Expect(n.Close()).To(Succeed())
	})
})

var _ = Describe("Endless reads", func() {
	It("do not block other reads", func() {
		const slots = 3
		n := open(machine.Options{Readers: slots, ReadBudget: 1 << 50})
		ended := make(chan error, slots)
		for range slots {
			go func() {
				defer GinkgoRecover()
				view, err := n.View(context.Background())
				Expect(err).NotTo(HaveOccurred())
				_, err = ask(view, runaway)
				Expect(view.Close()).To(Succeed())
				ended <- err
			}()
		}
		Consistently(ended, "50ms").ShouldNot(Receive())
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		view, err := n.View(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(ask(view, "SELECT 1")).To(Equal([][]any{{int64(1)}}))
		Expect(view.Close()).To(Succeed())
		Eventually(ended, "10s").Should(Receive(MatchError(machine.ErrCrowded)))
		n.Interrupt()
		for range slots - 1 {
			Eventually(ended, "10s").Should(Receive(HaveOccurred()))
		}
	})

	It("exceed their budget, so that they end without a clock", func() {
		n := open(narrow)
		view, err := n.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		_, err = ask(view, runaway)
		Expect(err).To(MatchError(sqlite.ErrBudget))
		Expect(view.Close()).To(Succeed())
	})
})
