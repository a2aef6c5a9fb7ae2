package network_test

import (
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// ends returns a connection from host a to host b, without delay.
func ends(b *testing.B, n *network.Network) (near, far net.Conn) {
	b.Helper()
	b.Cleanup(func() { n.Close() })
	from, err := n.Host("a")
	if err != nil {
		b.Fatal(err)
	}
	to, err := n.Host("b")
	if err != nil {
		b.Fatal(err)
	}
	return through(b, from, to)
}

func through(b *testing.B, from, to network.Endpoint) (near, far net.Conn) {
	b.Helper()
	l, err := to.Listen()
	if err != nil {
		b.Fatal(err)
	}
	if near, err = from.DialContext(context.Background(), "tcp", to.Addr()); err != nil {
		b.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { near.Close(); far.Close(); l.Close() })
	return near, far
}

// plain returns a connection without this package's wrappers.
func plain(b *testing.B) (near, far net.Conn) {
	b.Helper()
	e, err := network.Open("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return through(b, e, e)
}

func median(b *testing.B, all []time.Duration, unit string) {
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds()), "median-"+unit)
	b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds()), "p99-"+unit)
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCut measures the duration of Cut, after which the cut is in effect.
func BenchmarkCut(b *testing.B) {
	for name, open := range networks {
		b.Run(name, func(b *testing.B) {
			n := open()
			ends(b, n)
			all := make([]time.Duration, 0, b.N)
			for b.Loop() {
				start := time.Now()
				n.Cut(fault.Drop, "a", "b")
				all = append(all, time.Since(start))
				n.Mend("a", "b")
			}
			median(b, all, "ns")
		})
	}
}

// BenchmarkMend measures the time from the call of Mend until a reader receives held data.
func BenchmarkMend(b *testing.B) {
	for name, open := range networks {
		b.Run(name, func(b *testing.B) {
			n := open()
			near, far := ends(b, n)
			got := make(chan time.Time)
			go func() {
				p := make([]byte, 1)
				for {
					if _, err := near.Read(p); err != nil {
						close(got)
						return
					}
					got <- time.Now()
				}
			}()
			all := make([]time.Duration, 0, b.N)
			for b.Loop() {
				n.Cut(fault.Drop, "b", "a")
				far.Write([]byte("x"))
				start := time.Now()
				n.Mend("b", "a")
				all = append(all, (<-got).Sub(start))
			}
			median(b, all, "ns")
			n.Close()
			<-got
		})
	}
}

// BenchmarkRule measures the duration of SetRule, and the time from the removal of a one-hour
// latency until a reader receives data in flight, on an existing connection.
func BenchmarkRule(b *testing.B) {
	for name, open := range networks {
		b.Run(name, func(b *testing.B) {
			n := open()
			near, far := ends(b, n)
			p := make([]byte, 1)
			var set, healed []time.Duration
			for b.Loop() {
				start := time.Now()
				n.SetRule("a", "b", fault.Rule{Latency: time.Hour})
				set = append(set, time.Since(start))
				near.Write(p)
				start = time.Now()
				n.MendAll()
				far.Read(p)
				healed = append(healed, time.Since(start))
			}
			median(b, set, "set-ns")
			median(b, healed, "heal-ns")
		})
	}
}

// BenchmarkRefuse measures the time from the call of Cut until both sides notice it.
func BenchmarkRefuse(b *testing.B) {
	for name, open := range networks {
		b.Run(name, func(b *testing.B) {
			n := open()
			b.Cleanup(func() { n.Close() })
			from, _ := n.Host("a")
			to, _ := n.Host("b")
			l, _ := to.Listen()
			var all []time.Duration
			for b.Loop() {
				near, err := from.DialContext(context.Background(), "tcp", to.Addr())
				if err != nil {
					b.Fatal(err)
				}
				far, _ := l.Accept()
				found := make(chan time.Time, 2)
				for _, c := range []net.Conn{near, far} {
					go func() {
						c.Read(make([]byte, 1))
						found <- time.Now()
						c.Close()
					}()
				}
				start := time.Now()
				n.Cut(fault.Refuse, "a", "b")
				<-found
				all = append(all, (<-found).Sub(start))
				n.Mend("a", "b")
			}
			median(b, all, "ns")
		})
	}
}

var networks = map[string]func() *network.Network{
	"tcp":    network.TCP,
	"memory": func() *network.Network { return network.Memory(1) },
}

func BenchmarkThroughput(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10} {
		stream := func(b *testing.B, to, from net.Conn) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{from}, make([]byte, 64<<10))
			}()
			p := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := to.Write(p); err != nil {
					b.Fatal(err)
				}
			}
			to.Close()
			<-done
		}
		name := map[int]string{4 << 10: "4KiB", 64 << 10: "64KiB"}[size]
		b.Run("plain/"+name, func(b *testing.B) { near, far := plain(b); stream(b, near, far) })
		b.Run("tcp-out/"+name, func(b *testing.B) { near, far := ends(b, network.TCP()); stream(b, near, far) })
		b.Run("tcp-back/"+name, func(b *testing.B) { near, far := ends(b, network.TCP()); stream(b, far, near) })
		b.Run("tcp-carried/"+name, func(b *testing.B) {
			n := network.TCP()
			n.SetDelay(time.Nanosecond, 0)
			near, far := ends(b, n)
			stream(b, near, far)
		})
		b.Run("memory/"+name, func(b *testing.B) { near, far := ends(b, network.Memory(1)); stream(b, near, far) })
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	trip := func(b *testing.B, near, far net.Conn) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			io.Copy(struct{ io.Writer }{far}, struct{ io.Reader }{far})
		}()
		p := make([]byte, 100)
		for b.Loop() {
			near.Write(p)
			if _, err := io.ReadFull(near, p); err != nil {
				b.Fatal(err)
			}
		}
		near.Close()
		<-done
	}
	b.Run("plain", func(b *testing.B) { near, far := plain(b); trip(b, near, far) })
	b.Run("tcp", func(b *testing.B) { near, far := ends(b, network.TCP()); trip(b, near, far) })
	b.Run("tcp-carried", func(b *testing.B) {
		n := network.TCP()
		n.SetDelay(time.Nanosecond, 0)
		near, far := ends(b, n)
		trip(b, near, far)
	})
	b.Run("memory", func(b *testing.B) { near, far := ends(b, network.Memory(1)); trip(b, near, far) })
}
