package main_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// worked are the writes of clients, and their outcomes: "" is acknowledged.
type worked struct {
	cluster *cluster

	mu       sync.Mutex
	outcomes map[float64]string
}

// work has four clients insert numbers, while nodes are lost and brought back, the leader and a follower in turn.
func work(ctx context.Context, c *cluster, lose, bring func(node int)) *worked {
	GinkgoHelper()
	c.write(ctx, 0, "CREATE TABLE IF NOT EXISTS t (id INTEGER)")
	w := &worked{cluster: c, outcomes: make(map[float64]string)}
	working, stop := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer func() { stop(); clients.Wait() }()
	for first := range 4 {
		clients.Go(func() {
			for id := float64(first); working.Err() == nil; id += 4 {
				w.insert(ctx, int(id/4)%3, id)
			}
		})
	}
	for round := range 6 {
		w.goesOn(ctx)
		victim := c.leader(ctx)
		if round%2 == 1 {
			victim = (victim + 1) % 3
		}
		lose(victim)
		w.goesOn(ctx)
		bring(victim)
	}
	w.goesOn(ctx)
	return w
}

func (w *worked) insert(ctx context.Context, node int, id float64) {
	var a answer
	err := w.cluster.call(ctx, http.MethodPost, node, "/exec",
		m{"statements": []m{{"sql": "INSERT INTO t VALUES (?)", "args": []any{id}}}}, &a)
	if err != nil {
		a.Error.Applied = "unknown"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes[id] = a.Error.Applied
}

func (w *worked) acknowledged() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.outcomes {
		if o == "" {
			n++
		}
	}
	return n
}

// goesOn waits until more writes are acknowledged.
func (w *worked) goesOn(ctx context.Context) {
	GinkgoHelper()
	done := w.acknowledged()
	Eventually(ctx, w.acknowledged).Should(BeNumerically(">", done+20), "no writes are acknowledged")
}

func (w *worked) expectKept(ctx context.Context) {
	GinkgoHelper()
	Expect(w.wrong(ctx)).To(BeEmpty())
}

// wrong are the writes that a node does not hold as it should.
func (w *worked) wrong(ctx context.Context) (wrong []string) {
	GinkgoHelper()
	for i := range w.cluster.nodes {
		times := make(map[float64]int)
		for _, row := range w.cluster.rows(ctx, i, "SELECT id FROM t") {
			times[row[0].(float64)]++
		}
		for id, outcome := range w.outcomes {
			if times[id] > 1 || outcome == "" && times[id] == 0 || outcome == "no" && times[id] > 0 {
				wrong = append(wrong, fmt.Sprintf("node %d holds %v %d times, and the answer was %q", i, id, times[id], outcome))
			}
		}
	}
	return wrong
}
