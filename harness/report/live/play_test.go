package live_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

var _ = Describe("A game", func() {
	BeforeEach(func() {
		before := gleak.Goroutines()
		DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
		DeferCleanup(http.DefaultClient.CloseIdleConnections)
	})

	It("is a cluster of any target with a page, until its context ends", func(ctx SpecContext) {
		t := &fake.Target{}
		playing, stop := context.WithCancel(ctx)
		defer stop()
		var out bytes.Buffer
		var stopping bool
		Expect(live.Play(playing, live.Game{Target: t, Name: "fake", Nodes: 5, Out: &out,
			Explain: func(ctx context.Context, c *harness.Cluster) error {
				url := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(out.String())
				Expect(c.Size()).To(Equal(5))
				response, err := http.Get(url)
				Expect(err).NotTo(HaveOccurred())
				Expect(response.Body.Close()).To(Succeed())
				Expect(response.StatusCode).To(Equal(http.StatusOK))
				stop()
				return nil
			},
			Stopping: func() { stopping = true },
		})).To(Succeed())
		Expect(stopping).To(BeTrue())
		Expect(t.Last().Calls()).To(ContainElement("close"))
	}, patience)

	It("ends with an error if it cannot go on", func(ctx SpecContext) {
		no := errors.New("no")
		Expect(live.Play(ctx, live.Game{Target: &fake.Target{Err: no}})).To(MatchError(no))
		t := &fake.Target{}
		Expect(live.Play(ctx, live.Game{Target: t, Port: -1, Explain: func(context.Context, *harness.Cluster) error { return no }})).
			To(MatchError(no))
		Expect(t.Last().Calls()).To(ContainElement("close"))
		Expect(live.Play(ctx, live.Game{Target: t, Port: 1 << 20, Boot: time.Second})).To(MatchError(ContainSubstring("serve the live page")))
		Expect(t.Last().Calls()).To(ContainElement("close"))
	}, patience)
})
