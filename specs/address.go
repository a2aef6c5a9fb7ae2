package specs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

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
			// A port may be held for a node that does not run: such a connection is reset at once.
			connect := func(ctx context.Context) error {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
				if err != nil {
					return err
				}
				defer conn.Close()
				if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
					return err
				}
				if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
					return fmt.Errorf("the connection does not stay open: %w", err)
				}
				return nil
			}
			env.eventually(ctx, connect).Should(Succeed())
			env.leave(ctx, node.Index(), fault.Stop)
			env.eventually(ctx, connect).ShouldNot(Succeed())
			Expect(node.Address(ctx)).To(Equal(address))
			env.comeBack(ctx, node.Index())
			Expect(node.Address(ctx)).To(Equal(address))
			env.eventually(ctx, connect).Should(Succeed())
		}, env.patience)
	})
}
