package embedded

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A connection between nodes begins with raftByte, which is never the first byte of an HTTP request,
// and a handshake. The node that dialed is the caller, the other one the host.
//
//	caller: raftByte, version, hello         its identity, a nonce, when it last met the host
//	host:   welcome, HMAC of all messages    its identity, a nonce, when it last met the caller, and
//	                                         whether it knows the life that the caller has met
//	caller: verdict, HMAC of all messages    the same about the host, and whether it accepts it
//
// The key of the HMAC is the cluster's token. Both nonces are fresh, so a recorded handshake cannot
// be replayed. Without a token the key is empty: the handshake then only prevents mistakes.
const (
	raftByte        = 0x00
	greetingVersion = 1
	nonceSize       = 32
	// maxGreeting is the maximum size of a message in bytes. A card lists all first members.
	maxGreeting = 64 << 10
)

// purpose is why a caller connects.
type purpose string

const (
	toReplicate purpose = "replicate" // Raft uses the connection after the handshake
	toMeet      purpose = "meet"      // only the handshake
)

// card is the identity that a node reports.
type card struct {
	Node     string            `json:"node"`
	Cluster  string            `json:"cluster,omitempty"`
	Birth    string            `json:"birth"`
	First    string            `json:"first,omitempty"`
	Founders map[string]string `json:"founders,omitempty"`
	Life     life              `json:"life"`
}

func (c card) String() string { return memberName(c.Node, c.Cluster) }

type hello struct {
	card
	Purpose purpose  `json:"purpose"`
	Nonce   []byte   `json:"nonce"`
	Met     *meeting `json:"met,omitempty"` // how the caller last met the host it expects
}

type welcome struct {
	card
	Nonce []byte   `json:"nonce"`
	Met   *meeting `json:"met,omitempty"` // how the host last met the caller
	verdict
}

// verdict is the result of checking the other node.
type verdict struct {
	// Knows says that this node knows the life in which the other last met it.
	Knows bool `json:"knows,omitempty"`
	// Admit, if not 0, admits a host without a cluster into the caller's. It is a log index at which
	// the host is a member.
	Admit uint64 `json:"admit,omitempty"`
	// Refusal is why this node refuses the connection; empty if it accepts it.
	Refusal string `json:"refusal,omitempty"`
}

// IdentityError says which two nodes may not communicate, and why. Raft treats it as an unreachable
// node.
type IdentityError struct{ Reason string }

func (e *IdentityError) Error() string { return e.Reason }

// Timeout makes it a net.Error, together with Temporary.
func (e *IdentityError) Timeout() bool { return false }

// Temporary is true: the other node may be replaced.
func (e *IdentityError) Temporary() bool { return true }

// errToken says that the other side did not prove that it knows the token.
var errToken = errors.New("token mismatch")

// greeting is one side of a handshake.
type greeting struct {
	conn io.ReadWriter
	said []byte // all messages so far, of both sides
	key  []byte
}

func newGreeting(conn io.ReadWriter, token string) *greeting {
	return &greeting{conn: conn, key: []byte(token)}
}

// Separate labels prevent that a proof is sent back to its sender.
const (
	byHost   = "rejoin host"
	byCaller = "rejoin caller"
)

func (g *greeting) proof(label string) []byte {
	mac := hmac.New(sha256.New, g.key)
	mac.Write([]byte(label))
	mac.Write(g.said)
	return mac.Sum(nil)
}

// frame encodes a message for sending and adds it to said.
func (g *greeting) frame(message any) ([]byte, error) {
	content, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	if len(content) > maxGreeting {
		return nil, fmt.Errorf("handshake message of %d bytes: the maximum is %d", len(content), maxGreeting)
	}
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
	g.said = append(g.said, framed...)
	return framed, nil
}

// read reads a message and adds it to said.
func (g *greeting) read(into any) error {
	var size [4]byte
	if _, err := io.ReadFull(g.conn, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxGreeting {
		return fmt.Errorf("handshake message of %d bytes: the maximum is %d", n, maxGreeting)
	}
	content := make([]byte, n)
	if _, err := io.ReadFull(g.conn, content); err != nil {
		return noEOF(err)
	}
	g.said = append(append(g.said, size[:]...), content...)
	return json.Unmarshal(content, into)
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (g *greeting) checkProof(label string) error {
	var got [sha256.Size]byte
	if _, err := io.ReadFull(g.conn, got[:]); err != nil {
		return noEOF(err)
	}
	if !hmac.Equal(got[:], g.proof(label)) {
		return errToken
	}
	return nil
}

func nonce() []byte {
	fresh := make([]byte, nonceSize)
	_, _ = rand.Read(fresh) // it never fails
	return fresh
}

// call does the handshake as the caller. It returns the host's message and the verdict of judge on
// it, which is sent to the host.
func (g *greeting) call(own hello, judge func(welcome) verdict) (welcome, verdict, error) {
	own.Nonce = nonce()
	framed, err := g.frame(own)
	if err != nil {
		return welcome{}, verdict{}, err
	}
	if _, err := g.conn.Write(append([]byte{raftByte, greetingVersion}, framed...)); err != nil {
		return welcome{}, verdict{}, err
	}
	var theirs welcome
	if err := g.read(&theirs); err != nil {
		return welcome{}, verdict{}, err
	}
	if err := g.checkProof(byHost); err != nil {
		return welcome{}, verdict{}, err
	}
	said := judge(theirs)
	if framed, err = g.frame(said); err != nil {
		return welcome{}, verdict{}, err
	}
	_, err = g.conn.Write(append(framed, g.proof(byCaller)...))
	return theirs, said, err
}

// receive does the handshake as the host, after raftByte. It returns the caller's message, the reply
// to it that answer makes, and the caller's verdict.
func (g *greeting) receive(answer func(hello) welcome) (hello, welcome, verdict, error) {
	var version [1]byte
	if _, err := io.ReadFull(g.conn, version[:]); err != nil {
		return hello{}, welcome{}, verdict{}, err
	}
	if version[0] != greetingVersion {
		return hello{}, welcome{}, verdict{}, fmt.Errorf("handshake version %d: expected %d", version[0], greetingVersion)
	}
	var theirs hello
	if err := g.read(&theirs); err != nil {
		return hello{}, welcome{}, verdict{}, err
	}
	own := answer(theirs)
	own.Nonce = nonce()
	framed, err := g.frame(own)
	if err != nil {
		return hello{}, welcome{}, verdict{}, err
	}
	if _, err := g.conn.Write(append(framed, g.proof(byHost)...)); err != nil {
		return hello{}, welcome{}, verdict{}, err
	}
	var said verdict
	if err := g.read(&said); err != nil {
		return hello{}, welcome{}, verdict{}, err
	}
	return theirs, own, said, g.checkProof(byCaller)
}
