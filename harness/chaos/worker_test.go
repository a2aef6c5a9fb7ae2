package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// asWorker in the environment makes the test's binary a worker.
const asWorker = "REJOIN_CHAOS_TEST_WORKER"

// work is what such a worker does with a schedule, by its seed.
func work(ctx context.Context, s chaos.Schedule, follow func(journal.Event)) (*chaos.Outcome, error) {
	done := journal.Event{At: time.Unix(1, 0).UTC(), Kind: journal.Note, Node: journal.Nobody, Text: "done"}
	o := &chaos.Outcome{Schedule: s, Events: []journal.Event{done}}
	if follow != nil {
		follow(done)
	}
	switch s.Seed {
	case 1:
		return o, nil
	case 2:
		o.Failure = &chaos.Failure{Broken: chaos.Liveness, Reason: "it stands"}
		return o, nil
	case 3:
		return nil, errors.New("no such workload")
	case 4:
		go panic("log not found")
		select {}
	}
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func serveAsWorker() {
	if os.Getenv(asWorker) == "" {
		return
	}
	if err := chaos.Serve(context.Background(), os.Stdin, os.Stdout, work); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

var _ = Describe("A worker", func() {
	var w *chaos.Worker
	var started int

	BeforeEach(func() {
		nothingIsLeft()
		started = 0
		w = chaos.NewWorker(func() *exec.Cmd {
			started++
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), asWorker+"=1")
			return cmd
		})
		DeferCleanup(func() { Expect(w.Close()).To(Succeed()) })
	})

	It("runs one schedule after the other in one process", func(ctx SpecContext) {
		outcome, err := w.Run(ctx, chaos.Schedule{Seed: 1, Faults: []chaos.Fault{{Kind: chaos.Crash}}})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Schedule.Faults).To(HaveLen(1))
		Expect(outcome.Failure).To(BeNil())
		Expect(outcome.Events).To(BeEmpty(), "who is sound is not looked at")

		outcome, err = w.Run(ctx, chaos.Schedule{Seed: 2})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Failure).To(Equal(&chaos.Failure{Broken: chaos.Liveness, Reason: "it stands"}))
		Expect(outcome.Events).To(HaveExactElements(HaveField("Text", "done")))

		_, err = w.Run(ctx, chaos.Schedule{Seed: 3})
		Expect(err).To(MatchError("no such workload"))
		Expect(started).To(Equal(1))
	}, patience)

	It("finds a failure in a process that panics, and starts another", func(ctx SpecContext) {
		outcome, err := w.Run(ctx, chaos.Schedule{Seed: 4})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Failure.Broken).To(Equal(chaos.Process))
		Expect(outcome.Failure.Reason).To(ContainSubstring("panic: log not found"))
		Expect(outcome.Schedule.Seed).To(BeEquivalentTo(4))

		Expect(w.Run(ctx, chaos.Schedule{Seed: 1})).Error().NotTo(HaveOccurred())
		Expect(started).To(Equal(2))
	}, patience)

	It("has what happened before a process died, if it was followed", func(ctx SpecContext) {
		for seed := range uint64(4) {
			outcome, err := w.Follow(ctx, chaos.Schedule{Seed: 1 + seed})
			if seed == 2 {
				Expect(err).To(MatchError("no such workload"))
				continue
			}
			Expect(err).NotTo(HaveOccurred())
			Expect(outcome.Events).To(HaveExactElements(HaveField("Text", "done")))
		}
		Expect(w.Run(ctx, chaos.Schedule{Seed: 4})).To(HaveField("Events", BeEmpty()))
	}, patience)

	It("has what happened in a schedule that passed, if it was to be kept", func(ctx SpecContext) {
		for _, seed := range []uint64{1, 2} {
			Expect(w.Keep(ctx, chaos.Schedule{Seed: seed})).To(HaveField("Events", HaveExactElements(HaveField("Text", "done"))))
		}
		Expect(w.Run(ctx, chaos.Schedule{Seed: 1})).To(HaveField("Events", BeEmpty()))
	}, patience)

	It("lets what is under way end when it is interrupted", func(ctx SpecContext) {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err := w.Run(short, chaos.Schedule{Seed: 5})
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(err).NotTo(MatchError(ContainSubstring("worker: ")), "its process ended by itself")
	}, patience)
})

var _ = Describe("Serving a worker", func() {
	It("refuses what is no schedule", func(ctx SpecContext) {
		var out bytes.Buffer
		Expect(chaos.Serve(ctx, strings.NewReader(`{"seed": 1} nonsense`), &out, work)).To(MatchError(ContainSubstring("read a schedule")))
		Expect(out.String()).To(MatchRegexp(`^\{"outcome":\{"schedule":\{"seed":1.*\}\}\n$`))
	}, patience)
})
