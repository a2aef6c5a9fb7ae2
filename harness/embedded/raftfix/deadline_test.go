package raftfix

import (
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const rpcTimeout = time.Second

// deadlines is a connection that records its deadlines.
type deadlines struct {
	net.Conn
	set     []time.Duration // timeout at the time of each SetDeadline
	written []int
}

func (d *deadlines) SetDeadline(t time.Time) error {
	d.set = append(d.set, time.Until(t).Round(100*time.Millisecond))
	return nil
}

func (d *deadlines) Write(p []byte) (int, error) {
	d.written = append(d.written, len(p))
	return len(p), nil
}

var _ = Describe("The timeout of a call", func() {
	It("is constant for small calls, and grows with the size of large ones", func() {
		inner := &deadlines{}
		conn := &growingConn{Conn: inner, call: rpcTimeout}
		begin := func() {
			Expect(conn.SetDeadline(time.Now().Add(rpcTimeout))).To(Succeed())
			inner.set, inner.written = nil, nil
		}
		begin()
		Expect(conn.Write(make([]byte, 1000))).To(Equal(1000))
		Expect(inner.set).To(BeEmpty())
		begin()
		Expect(conn.Write(make([]byte, 8<<20))).To(Equal(8 << 20))
		Expect(inner.written).To(HaveLen(8 << 20 / writtenAtOnce))
		Expect(inner.set[len(inner.set)-1]).To(Equal(rpcTimeout + 8<<20/slowestLink*time.Second))
		begin()
		Expect(conn.Write(nil)).To(BeZero())
		Expect(inner.set).To(BeEmpty(), "every call begins anew")
	})
})
