package specs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"
)

// A connection between nodes begins with two bytes and a handshake of three messages, each
// with its length before it. Both sides prove with an HMAC over all that was said that they
// know the token.
const (
	nodeSpeaks      = 0x00
	greetingVersion = 0x01
	longestGreeting = 64 << 10 // bytes of a message
)

// greeter is one side of a handshake.
type greeter struct {
	conn  net.Conn
	token string
	said  []byte
}

// card identifies a node.
type card struct {
	Node     string            `json:"node"`
	Cluster  string            `json:"cluster,omitempty"`
	Birth    string            `json:"birth"`
	First    string            `json:"first,omitempty"`
	Founders map[string]string `json:"founders,omitempty"`
	Life     life              `json:"life"`
}

type life struct {
	Number uint64 `json:"number"`
	ID     string `json:"id"`
}

// meeting is what a node remembers of another node.
type meeting struct {
	Life  life   `json:"life"`
	Birth string `json:"birth"`
	Since uint64 `json:"since"`
}

// message is each of the three messages.
type message struct {
	card
	Purpose string   `json:"purpose,omitempty"`
	Nonce   []byte   `json:"nonce,omitempty"`
	Met     *meeting `json:"met,omitempty"`
	Knows   bool     `json:"knows,omitempty"`
	Admit   uint64   `json:"admit,omitempty"`
	Refusal string   `json:"refusal,omitempty"`
}

// framed is a message with its length.
func (g *greeter) framed(m message) []byte {
	content, err := json.Marshal(m)
	if err != nil {
		panic(err) // it is text and numbers
	}
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
	g.said = append(g.said, frame...)
	return frame
}

// hear reads a message from the other side.
func (g *greeter) hear() (m message, err error) {
	size := make([]byte, 4)
	if _, err := io.ReadFull(g.conn, size); err != nil {
		return m, err
	}
	content := make([]byte, binary.BigEndian.Uint32(size))
	if _, err := io.ReadFull(g.conn, content); err != nil {
		return m, err
	}
	g.said = append(append(g.said, size...), content...)
	return m, json.Unmarshal(content, &m)
}

const (
	byHost   = "rejoin host"
	byCaller = "rejoin caller"
)

func (g *greeter) proof(label string) []byte {
	mac := hmac.New(sha256.New, []byte(g.token))
	mac.Write([]byte(label))
	mac.Write(g.said)
	return mac.Sum(nil)
}

// heard is the answer of a host to a caller.
type heard struct {
	message
	proven bool   // whether the host knows the token
	sent   []byte // all that the caller sent
}

// call performs the caller's side of a handshake. The caller's proof passes through proof.
func (g *greeter) call(hello message, proof func([]byte) []byte) (h heard, err error) {
	opening := append([]byte{nodeSpeaks, greetingVersion}, g.framed(hello)...)
	if _, err := g.conn.Write(opening); err != nil {
		return h, err
	}
	if h.message, err = g.hear(); err != nil {
		return h, err
	}
	want, got := g.proof(byHost), make([]byte, sha256.Size)
	if _, err := io.ReadFull(g.conn, got); err != nil {
		return h, err
	}
	h.proven = slices.Equal(got, want)
	closing := g.framed(message{Knows: true})
	closing = append(closing, proof(g.proof(byCaller))...)
	h.sent = append(opening, closing...)
	_, err = g.conn.Write(closing)
	return h, err
}

// asIs returns the proof unchanged.
func asIs(proof []byte) []byte { return proof }

// errNotCut says that a connection is open for longer than allowed.
var errNotCut = errors.New("the node has not closed the connection")

// untilCut reads until the other side closes the connection. It returns what was read, and how
// long that took.
func untilCut(conn net.Conn, most time.Duration) (got []byte, took time.Duration, err error) {
	begun := time.Now()
	if err := conn.SetReadDeadline(begun.Add(most)); err != nil {
		return nil, 0, err
	}
	got, err = io.ReadAll(conn)
	took = time.Since(begun)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return got, took, fmt.Errorf("%w after %v, and has sent %d bytes: %.300q", errNotCut, took, len(got), got)
	}
	return got, took, nil // a reset counts, too
}
