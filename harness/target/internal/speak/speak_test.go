package speak

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"
)

func TestSpeak(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Speak")
}

var _ = Describe("A forwarder", func() {
	BeforeEach(func() {
		before := gleak.Goroutines()
		DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
	})

	It("passes connections on by its dial, and ends them when it is closed", func(ctx SpecContext) {
		ours, theirs := net.Pipe()
		f, err := forward("there:1", func(_ context.Context, _, address string) (net.Conn, error) {
			if address != "there:1" {
				return nil, errors.New("another address")
			}
			return ours, nil
		})
		Expect(err).NotTo(HaveOccurred())
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", f.listener.Addr().String())
		Expect(err).NotTo(HaveOccurred())
		_, err = connection.Write([]byte("ask"))
		Expect(err).NotTo(HaveOccurred())
		heard := make([]byte, 3)
		_, err = io.ReadFull(theirs, heard)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(heard)).To(Equal("ask"))
		_, err = theirs.Write([]byte("say"))
		Expect(err).NotTo(HaveOccurred())
		_, err = io.ReadFull(connection, heard)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(heard)).To(Equal("say"))
		Expect(f.Close()).To(Succeed())
		_, err = connection.Read(heard)
		Expect(err).To(HaveOccurred())
		Expect(connection.Close()).To(Succeed())
	})

	It("ends a connection that cannot be passed on", func(ctx SpecContext) {
		f, err := forward("there:1", func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("cut") })
		Expect(err).NotTo(HaveOccurred())
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", f.listener.Addr().String())
		Expect(err).NotTo(HaveOccurred())
		_, err = connection.Read(make([]byte, 1))
		Expect(err).To(HaveOccurred())
		Expect(connection.Close()).To(Succeed())
		Expect(f.Close()).To(Succeed())
	})
})
