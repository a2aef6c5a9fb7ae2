package specs

import (
	"errors"
	"net"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// addresses are specs about the address that a node has for an application's own client.
func addresses(env *environment) {
	Describe("The address of a node", Label("suite:address"), func() {
		It("accepts connections while the node runs, and is the same after a restart", Label("fault:stop"), func(ctx SpecContext) {
			env.requires(target.Stop)
			node := env.node(env.cluster.Size() - 1)
			address, err := node.Address(ctx)
			if errors.Is(err, harness.ErrNoSocket) {
				Expect(address).NotTo(BeEmpty())
				Skip(err.Error())
			}
			Expect(err).NotTo(HaveOccurred())
			connect := func() error {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
				if err == nil {
					err = conn.Close()
				}
				return err
			}
			Expect(connect()).To(Succeed())
			env.leave(ctx, node.Index(), fault.Stop)
			Expect(connect()).NotTo(Succeed())
			Expect(node.Address(ctx)).To(Equal(address))
			env.comeBack(ctx, node.Index())
			Expect(node.Address(ctx)).To(Equal(address))
			Expect(connect()).To(Succeed())
		}, env.patience)
	})
}
