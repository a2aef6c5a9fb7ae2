package hosts_test

import (
	"context"
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
)

var _ = DescribeTable("an unanswered connection attempt ends with", func(ctx SpecContext, end func(*hosts.Network, *hosts.Host) error) {
	n := newNetwork()
	a := newHost(ctx, n, "a")
	newHost(ctx, n, "b")
	Expect(n.SetRule("b", "a", fault.Rule{Action: fault.Drop})).To(Succeed())
	ended := make(chan error, 1)
	dialing, cancel := context.WithCancel(context.Background()) // as net/http dials: for longer than the request lasts
	go func() {
		_, err := a.DialContext(dialing, "tcp", "b:7000")
		ended <- err
	}()
	DeferCleanup(func() { cancel() })
	Eventually(n.Stats).WithArguments("a", "b").Should(HaveField("Messages", BeNumerically(">", 0)))
	Expect(ended).NotTo(Receive())
	Expect(end(n, a)).To(Succeed())
	Eventually(ctx, ended).Should(Receive(MatchError(net.ErrClosed)))
},
	Entry("the network", SpecTimeout(time.Minute), func(n *hosts.Network, _ *hosts.Host) error { return n.Close() }),
	Entry("the power of its host", SpecTimeout(time.Minute),
		func(_ *hosts.Network, a *hosts.Host) error { return a.CutPower(context.Background()) }),
)
