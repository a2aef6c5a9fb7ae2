package defects

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

// strangers are bugs in how a node treats connections and requests of strangers.
func strangers() []Defect {
	const kind = "strangers and slowness"
	return []Defect{
		lending("token-is-not-asked-of-forwarders", kind,
			"a request marked as forwarded by a node needs no token", "suite:tokens",
			func(r *http.Request, _ string) bool { return r.Header.Get("Rejoin-Forwarded-By") != "" }),
		lending("token-is-not-asked-of-questions", kind,
			"a request that is not a POST needs no token", "suite:tokens",
			func(r *http.Request, _ string) bool { return r.Method != http.MethodPost }),
		lending("token-by-its-beginning", kind,
			"a prefix of the token is accepted", "suite:tokens",
			func(r *http.Request, token string) bool {
				given := r.Header.Get("Authorization")
				return len(given) > len("Bearer ") && strings.HasPrefix(token, given)
			}),
		inDoor("strangers-are-waited-for", kind,
			"a connection that starts like a node's and then stops is never closed", "suite:strangers",
			func(node, reading bool) bool { return node && reading }),
		inDoor("slow-senders-are-waited-for", kind,
			"a client that stops in the middle of its request is never disconnected", "suite:slow-clients",
			func(node, reading bool) bool { return !node && reading }),
		inDoor("slow-readers-are-waited-for", kind,
			"a client that does not read its answer is never disconnected", "suite:slow-clients",
			func(node, reading bool) bool { return !node && !reading }),
		{
			Name: "body-limit-is-not-in-force", Kind: kind, About: "suite:limits",
			Text: "spaces at the end of a request's body do not count towards its limit",
			seams: inHandlers(func(inner http.Handler, w http.ResponseWriter, r *http.Request) {
				if body, err := io.ReadAll(r.Body); err == nil {
					body = bytes.TrimRight(body, " ")
					r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
				}
				inner.ServeHTTP(w, r)
			}),
		},
		{
			Name: "snapshot-sums-are-not-checked", Kind: kind, About: "suite:sums",
			Text: "a damaged block of a snapshot is read as zeros",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
					s.Snapshots = unsummed{s.Snapshots}
					return s
				}}
			},
		},
	}
}

// inHandlers returns seams that wrap the handling of all HTTP requests.
func inHandlers(serve func(inner http.Handler, w http.ResponseWriter, r *http.Request)) func(embedded.Life) embedded.Seams {
	return func(embedded.Life) embedded.Seams {
		return embedded.Seams{Handler: func(inner http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(inner, w, r) })
		}}
	}
}

// lending is a bug of an API that adds a token, which an earlier request had, to requests with a different token or
// none.
func lending(name, kind, text, about string, to func(r *http.Request, token string) bool) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: about, seams: func(embedded.Life) embedded.Seams {
		return embedded.Seams{Handler: func(inner http.Handler) http.Handler {
			var mu sync.Mutex
			token := "" // the first one that was accepted
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				known := token
				mu.Unlock()
				given := r.Header.Get("Authorization")
				if known != "" && given != known && to(r, known) {
					r.Header.Set("Authorization", known)
				}
				watched := &watchedStatus{ResponseWriter: w}
				inner.ServeHTTP(watched, r)
				if watched.status == http.StatusOK && given != "" && known == "" {
					mu.Lock()
					token = given
					mu.Unlock()
				}
			})
		}}
	}}
}

// watchedStatus records the status of an answer.
type watchedStatus struct {
	http.ResponseWriter
	status int
}

func (w *watchedStatus) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedStatus) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap supports http.ResponseController.
func (w *watchedStatus) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// inDoor is a bug in accepted connections: some deadlines are not set.
func inDoor(name, kind, text, about string, forgets func(node, reading bool) bool) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: about, seams: func(embedded.Life) embedded.Seams {
		return embedded.Seams{Accepted: func(conn net.Conn) net.Conn { return &endless{Conn: conn, forgets: forgets} }}
	}}
}

// endless is a connection that ignores deadlines in the future.
type endless struct {
	net.Conn
	forgets func(node, reading bool) bool

	mu    sync.Mutex
	begun bool
	node  bool // the first byte is that of a node
}

func (c *endless) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	if n > 0 && !c.begun {
		c.begun, c.node = true, p[0] == 0
		c.mu.Unlock()
		if c.forgets(c.node, true) {
			_ = c.Conn.SetReadDeadline(time.Time{})
		}
		return n, err
	}
	c.mu.Unlock()
	return n, err
}

func (c *endless) forgot(reading bool, t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begun && t.After(time.Now()) && c.forgets(c.node, reading)
}

func (c *endless) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *endless) SetReadDeadline(t time.Time) error {
	if c.forgot(true, t) {
		t = time.Time{}
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *endless) SetWriteDeadline(t time.Time) error {
	if c.forgot(false, t) {
		t = time.Time{}
	}
	return c.Conn.SetWriteDeadline(t)
}

// CloseWrite closes the write side of the wrapped connection, if it can.
func (c *endless) CloseWrite() error {
	if half, can := c.Conn.(interface{ CloseWrite() error }); can {
		return half.CloseWrite()
	}
	return nil
}

// unsummed is a snapshot store that reads damaged blocks as zeros.
type unsummed struct{ raft.SnapshotStore }

func (s unsummed) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, content, err := s.SnapshotStore.Open(id)
	if err != nil {
		return meta, content, err
	}
	return meta, &zeroed{ReadCloser: content, left: meta.Size}, nil
}

type zeroed struct {
	io.ReadCloser
	left int64
	bad  bool
}

func (z *zeroed) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), z.left)]
	n := 0
	if !z.bad {
		var err error
		if n, err = z.ReadCloser.Read(p); err != nil && n == 0 {
			z.bad = true
		}
	}
	if z.bad {
		clear(p)
		n = len(p)
	}
	z.left -= int64(n)
	return n, nil
}
