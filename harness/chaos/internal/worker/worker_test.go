package worker_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/chaos/internal/worker"
)

func TestWorker(t *testing.T) {
	serveAsWorker()
	RegisterFailHandler(Fail)
	RunSpecs(t, "Worker")
}

const patience = SpecTimeout(2 * time.Minute)

// asWorker in the environment makes the test's binary a worker.
const asWorker = "REJOIN_TEST_WORKER"

type request struct{ Number int }

type reply struct {
	Text string
	Last bool
}

// answer is what the worker does with a request, by its number.
func answer(ctx context.Context, r request, say func(reply) error) {
	_ = say(reply{Text: "begun"})
	switch r.Number {
	case 1:
		_ = say(reply{Text: "done", Last: true})
	case 2:
		go panic("log not found")
		select {}
	default:
		<-ctx.Done()
	}
}

func serveAsWorker() {
	if os.Getenv(asWorker) == "" {
		return
	}
	if err := worker.Serve(context.Background(), os.Stdin, os.Stdout, answer); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

var _ = Describe("A worker", func() {
	var w *worker.Worker[request, reply]
	var started int

	BeforeEach(func() {
		before := gleak.Goroutines()
		DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
		started = 0
		w = worker.New[request, reply](func() *exec.Cmd {
			started++
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), asWorker+"=1")
			return cmd
		})
		DeferCleanup(func() { Expect(w.Close()).To(Succeed()) })
	})

	ask := func(ctx context.Context, number int) (replies []string, err error) {
		err = w.Ask(ctx, request{number}, func(r reply) bool {
			replies = append(replies, r.Text)
			return r.Last
		})
		return replies, err
	}

	It("answers one request after another in one process", func(ctx SpecContext) {
		for range 3 {
			Expect(ask(ctx, 1)).To(Equal([]string{"begun", "done"}))
		}
		Expect(started).To(Equal(1))
	}, patience)

	It("tells of a process that panics, and starts another", func(ctx SpecContext) {
		replies, err := ask(ctx, 2)
		Expect(replies).To(Equal([]string{"begun"}))
		var died *worker.DiedError
		Expect(err).To(BeAssignableToTypeOf(died))
		Expect(err).To(MatchError(And(HavePrefix("the process of the nodes died ("), ContainSubstring("panic: log not found"))))

		Expect(ask(ctx, 1)).To(HaveLen(2))
		Expect(started).To(Equal(2))
	}, patience)

	It("lets a request under way end when it is interrupted", func(ctx SpecContext) {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err := ask(short, 3)
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(err).NotTo(MatchError(ContainSubstring("worker: ")), "its process ended by itself")
	}, patience)
})

var _ = Describe("Serving a worker", func() {
	It("refuses what is no request", func(ctx SpecContext) {
		var out bytes.Buffer
		Expect(worker.Serve(ctx, strings.NewReader(`{"Number": 1} nonsense`), &out, answer)).To(MatchError(ContainSubstring("read a request")))
		Expect(out.String()).To(Equal("{\"Text\":\"begun\",\"Last\":false}\n{\"Text\":\"done\",\"Last\":true}\n"))
	}, patience)
})
