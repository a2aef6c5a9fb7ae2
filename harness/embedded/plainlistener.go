package embedded

import (
	"net"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// tlsHandshake is the first byte that a TLS client sends (RFC 8446, section 5.1). HTTP requests never
// begin with it.
const tlsHandshake = 0x16

// noTLS is the fatal TLS alert handshake_failure (RFC 8446, section 6), so that a TLS client reports
// a failed handshake and not a malformed answer.
var noTLS = []byte{0x15, 3, 1, 0, 2, 2, 40}

// plainListener is a listener for plain HTTP. It answers TLS clients with an alert and logs a
// warning.
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
		p.logger.Warn("a client uses TLS, but this port serves plain HTTP: use http://, or a proxy for TLS", "client", conn.RemoteAddr())
		p.telling.Go(func() {
			_ = conn.SetWriteDeadline(time.Now().Add(p.patience))
			_, _ = conn.Write(noTLS) // errors are ignored: best effort
			_ = conn.Close()
		})
	}
}
