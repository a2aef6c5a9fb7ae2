package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
)

// Server serves a page on loopback.
type Server struct {
	page    *Page
	server  *http.Server
	url     string
	serving sync.WaitGroup
	failed  error // after serving
}

// Listen serves the page of a cluster on a port of loopback; 0 is any free one. Close must follow, before the cluster is closed.
func Listen(c *harness.Cluster, port int, o Options) (*Server, error) {
	page, err := New(c, o)
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		page.Close()
		return nil, fmt.Errorf("serve the live page: %w", err)
	}
	s := &Server{page: page, url: fmt.Sprintf("http://%s/#token=%s", listener.Addr(), o.Token), server: &http.Server{
		Handler: page, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0), // a browser that goes away is no news
	}}
	s.serving.Go(func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed = err
		}
	})
	return s, nil
}

// URL is the address of the page, with the token.
func (s *Server) URL() string { return s.url }

// Close ends the page and the server. It blocks until no request, goroutine or port of them is left.
func (s *Server) Close() error {
	s.page.Close() // first: requests wait for what the page does
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("end the live page: %w", err), s.server.Close())
	}
	s.serving.Wait()
	return errors.Join(err, s.failed)
}
