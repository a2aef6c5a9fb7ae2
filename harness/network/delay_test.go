package network_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = DescribeTable("A delay is felt both ways, and follows its changes",
	func(k kind) {
		const lag = 20 * time.Millisecond
		w := newWorld(k)
		roundTrip := func() time.Duration {
			near, far := w.connect()
			start := time.Now()
			Expect(near.Write([]byte("there"))).To(Equal(5))
			expectText(far, "there")
			Expect(far.Write([]byte("back"))).To(Equal(4))
			expectText(near, "back")
			return time.Since(start)
		}
		Expect(w.SetRule("a", "b", network.Rule{Latency: lag, Jitter: lag})).To(Succeed())
		start := time.Now()
		Expect(roundTrip()).To(BeNumerically("~", 3*lag/2, lag))
		Expect(time.Since(start)).To(BeNumerically(">=", 2*lag), "with the handshake")
		Expect(w.SetRule("b", "a", network.Rule{Latency: lag})).To(Succeed())
		Expect(roundTrip()).To(BeNumerically(">=", 2*lag))
		Expect(w.SetRule("a", "b", network.Rule{})).To(Succeed())
		Expect(w.SetRule("b", "a", network.Rule{})).To(Succeed())
		Expect(roundTrip()).To(BeNumerically("<", lag))
	},
	kinds,
)
