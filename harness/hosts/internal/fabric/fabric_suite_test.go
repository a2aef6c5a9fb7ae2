package fabric_test

import (
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/fabric"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

var suite *testing.T

func TestFabric(t *testing.T) {
	suite = t
	RegisterFailHandler(Fail)
	RunSpecs(t, "Fabric")
}

// bubble runs f in virtual time, and fails if goroutines are left.
func bubble(f func()) {
	synctest.Test(suite, func(*testing.T) {
		defer GinkgoRecover()
		f()
	})
}

// arrival is a packet that a device got.
type arrival struct {
	at     time.Duration // since the start
	packet packet.Packet
}

// device is a network device in memory.
type device struct {
	sent   chan packet.Packet
	closed chan struct{}
	begun  time.Time

	mu  sync.Mutex
	got []arrival
}

func newDevice() *device {
	return &device{sent: make(chan packet.Packet), closed: make(chan struct{}), begun: time.Now()}
}

func (d *device) Read(p []byte) (int, error) {
	select {
	case q := <-d.sent:
		return copy(p, q), nil
	case <-d.closed:
		return 0, errors.New("closed")
	}
}

func (d *device) Write(p []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, arrival{time.Since(d.begun), append(packet.Packet(nil), p...)})
	return nil
}

func (d *device) Close() error {
	close(d.closed)
	return nil
}

// take returns what has arrived since the last take.
func (d *device) take() []arrival {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.got
	d.got = nil
	return got
}

// pair is a fabric with two ports.
type pair struct {
	*fabric.Fabric
	a, b         *device
	addrA, addrB netip.Addr
}

func newPair(seed uint64) *pair {
	GinkgoHelper()
	p := &pair{Fabric: fabric.New(seed), a: newDevice(), b: newDevice()}
	for _, end := range []struct {
		name string
		d    *device
		addr *netip.Addr
	}{{"a", p.a, &p.addrA}, {"b", p.b, &p.addrB}} {
		port, err := p.Add(end.name)
		Expect(err).NotTo(HaveOccurred())
		Expect(port.Connect(end.d)).To(Succeed())
		*end.addr = port.Addr()
	}
	return p
}

var flow = packet.Flow{Protocol: packet.TCP, From: 40000, To: 7000}

// there sends a segment from a to b.
func (p *pair) there(f packet.Flow, s packet.Segment, data string) {
	p.a.sent <- packet.NewTCP(p.addrA.As4(), p.addrB.As4(), f, s, []byte(data))
}

// back sends a segment from b to a.
func (p *pair) back(f packet.Flow, s packet.Segment, data string) {
	p.b.sent <- packet.NewTCP(p.addrB.As4(), p.addrA.As4(), f.Back(), s, []byte(data))
}

// segment sends the i-th segment of one byte of a flow from a to b.
func (p *pair) segment(f packet.Flow, i int) {
	p.there(f, packet.Segment{Seq: uint32(i), Ack: 500, Flags: packet.ACK}, "x")
}

// numbers returns the sequence numbers of segments.
func numbers(all []arrival) []int {
	found := []int{}
	for _, a := range all {
		s, _ := a.packet.Segment()
		found = append(found, int(s.Seq))
	}
	return found
}
