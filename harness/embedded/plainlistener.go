package embedded

import (
	"net"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// tlsHandshake is the first byte of a TLS client, which no HTTP request begins with
// (RFC 8446, 5.1).
const tlsHandshake = 0x16

// noTLS is a fatal TLS alert, handshake_failure: it ends a TLS client at once, with an
// error of its own in place of one about an answer that makes no sense (RFC 8446, 6).
var noTLS = []byte{0x15, 3, 1, 0, 2, 2, 40}

// plainListener is the listener of HTTP without TLS: a client that speaks TLS is told, and the
// log says so.
type plainListener struct {
	net.Listener
	logger   hclog.Logger
	patience time.Duration // for the alert
	telling  *sync.WaitGroup
}

func (p *plainListener) Accept() (net.Conn, error) {
	for {
		conn, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		known, is := conn.(*replayed)
		if !is || len(known.first) == 0 || known.first[0] != tlsHandshake {
			return conn, nil
		}
		p.logger.Warn("a client speaks TLS, and this port serves plain HTTP: use http://, or a proxy for TLS", "client", conn.RemoteAddr())
		p.telling.Go(func() {
			_ = conn.SetWriteDeadline(time.Now().Add(p.patience))
			_, _ = conn.Write(noTLS) // a client that has gone needs no word
			_ = conn.Close()
		})
	}
}
