package network_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
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
		Expect(w.SetDelay("a", "b", lag, lag)).To(Succeed())
		start := time.Now()
		Expect(roundTrip()).To(BeNumerically("~", 3*lag/2, lag))
		Expect(time.Since(start)).To(BeNumerically(">=", 2*lag), "with the handshake")
		Expect(w.SetDelay("b", "a", lag, 0)).To(Succeed())
		Expect(roundTrip()).To(BeNumerically(">=", 2*lag))
		Expect(w.SetDelay("a", "b", 0, 0)).To(Succeed())
		Expect(w.SetDelay("b", "a", 0, 0)).To(Succeed())
		Expect(roundTrip()).To(BeNumerically("<", lag))
	},
	kinds,
)
