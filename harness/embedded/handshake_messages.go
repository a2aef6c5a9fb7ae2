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

// A connection between nodes begins with raftByte, which no HTTP request can begin with,
// and a greeting. The node that dialed is the caller, the other one the host.
//
//	caller: raftByte, version, hello              own identity, a nonce, the last meeting
//	host:   welcome, HMAC of all that was sent    own identity, a nonce, the last meeting, and
//	                                              whether I know myself in what you said
//	caller: verdict, HMAC of all that was sent    likewise, and whether I go on
//
// The key of the HMAC is the cluster's token. Both nonces are fresh, so a greeting that was
// recorded proves nothing. Without a token the key is empty: the greeting then only tells
// nodes apart that mean well.
const (
	raftByte        = 0x00
	greetingVersion = 1
	nonceSize       = 32
	// maxGreeting bounds each message, in bytes. A card names all first members.
	maxGreeting = 64 << 10
)

// purpose is what a caller wants.
type purpose string

const (
	toReplicate purpose = "replicate" // the connection is Raft's from then on
	toMeet      purpose = "meet"      // the greeting is all
)

// card is what a node says of itself.
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

// verdict is what one makes of the other.
type verdict struct {
	// Knows says that this node knows itself in how the other last met it.
	Knows bool `json:"knows,omitempty"`
	// Admit, if not 0, takes a host of no cluster into the caller's. It is a log index at which
	// the host is a member.
	Admit uint64 `json:"admit,omitempty"`
	// Refusal is why this node will not go on; empty if it will.
	Refusal string `json:"refusal,omitempty"`
}

// IdentityError says that two nodes do not go together, and which. To Raft it is as if the
// other node could not be reached.
type IdentityError struct{ Reason string }

func (e *IdentityError) Error() string { return e.Reason }

// Timeout makes it a net.Error, together with Temporary.
func (e *IdentityError) Timeout() bool { return false }

// Temporary is true: the other node may be replaced.
func (e *IdentityError) Temporary() bool { return true }

// errToken says that the other side does not prove that it has the cluster's token.
var errToken = errors.New("its token is another")

// greeting is one side of a greeting under way.
type greeting struct {
	conn io.ReadWriter
	said []byte // all that was sent so far, by both
	key  []byte
}

func newGreeting(conn io.ReadWriter, token string) *greeting {
	return &greeting{conn: conn, key: []byte(token)}
}

// The labels keep a proof from being sent back to its sender.
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

// frame adds a message to what was said, and returns it as it is sent.
func (g *greeting) frame(message any) ([]byte, error) {
	content, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	if len(content) > maxGreeting {
		return nil, fmt.Errorf("a greeting of %d bytes is longer than %d", len(content), maxGreeting)
	}
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
	g.said = append(g.said, framed...)
	return framed, nil
}

// read reads a message and adds it to what was said.
func (g *greeting) read(into any) error {
	var size [4]byte
	if _, err := io.ReadFull(g.conn, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxGreeting {
		return fmt.Errorf("a greeting of %d bytes is longer than %d", n, maxGreeting)
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

// call greets as the caller, and returns what the host said. What judge makes of that is
// told to the host.
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

// receive greets as the host, from the version on, and returns what the caller said. It is
// answered by what answer makes of it.
func (g *greeting) receive(answer func(hello) welcome) (hello, welcome, verdict, error) {
	var version [1]byte
	if _, err := io.ReadFull(g.conn, version[:]); err != nil {
		return hello{}, welcome{}, verdict{}, err
	}
	if version[0] != greetingVersion {
		return hello{}, welcome{}, verdict{}, fmt.Errorf("it greets in version %d, and not %d", version[0], greetingVersion)
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
