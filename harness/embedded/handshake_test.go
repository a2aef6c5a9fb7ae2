package embedded

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/durable"
	"github.com/rejoin-db/rejoin/harness/network"
)

// taped is one end of a connection that records all bytes received.
type taped struct {
	net.Conn
	heard bytes.Buffer
}

func (t *taped) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.heard.Write(p[:n])
	return n, err
}

var anyCard = card{Node: "n0", Cluster: "c", Birth: "b", Life: life{1, "l"}}

// greeted runs a handshake, and returns the errors of both sides and all bytes that the host received.
func greeted(callerToken, hostToken string) (heard []byte, caller, host error) {
	GinkgoHelper()
	a, b := net.Pipe()
	defer a.Close()
	tape := &taped{Conn: b}
	done := make(chan error, 1)
	go func() {
		defer b.Close()
		var first [1]byte
		if _, err := io.ReadFull(tape, first[:]); err != nil || first[0] != raftByte {
			done <- errors.Join(err, errors.New("the first byte is another"))
			return
		}
		_, _, _, err := newGreeting(tape, hostToken).receive(func(hello) welcome { return welcome{card: anyCard} })
		done <- err
	}()
	said := hello{card: anyCard, Purpose: toReplicate}
	_, _, caller = newGreeting(a, callerToken).call(said, func(welcome) verdict { return verdict{Knows: true} })
	_ = a.Close()
	host = <-done
	return tape.heard.Bytes(), caller, host
}

var _ = Describe("A greeting between nodes", func() {
	It("succeeds with the same token on both sides", func() {
		_, caller, host := greeted("sesame", "sesame")
		Expect(caller).NotTo(HaveOccurred())
		Expect(host).NotTo(HaveOccurred())
	})

	It("shows the caller a token mismatch before the caller sends anything else", func() {
		_, caller, host := greeted("sesame", "other")
		Expect(caller).To(MatchError(errToken))
		Expect(host).To(HaveOccurred())
	})

	It("is rejected when it is recorded and replayed", func() {
		heard, _, _ := greeted("sesame", "sesame")
		a, b := net.Pipe()
		DeferCleanup(a.Close)
		go func() { // the replay ignores the answers
			_, _ = io.Copy(io.Discard, a)
		}()
		go func() { _, _ = a.Write(heard) }()
		Expect(b.SetDeadline(time.Now().Add(5 * time.Second))).To(Succeed())
		Expect(io.ReadFull(b, make([]byte, 1))).To(Equal(1))
		_, _, _, err := newGreeting(b, "sesame").receive(func(hello) welcome { return welcome{card: anyCard} })
		Expect(err).To(MatchError(errToken))
	})

	It("does not accept its own proof as an answer", func() {
		a, b := net.Pipe()
		DeferCleanup(a.Close)
		go func() { // a mirror echoes what it receives
			defer GinkgoRecover()
			_, _ = io.CopyN(io.Discard, b, 2)
			_, _ = io.Copy(b, b)
		}()
		Expect(a.SetDeadline(time.Now().Add(200 * time.Millisecond))).To(Succeed())
		_, _, err := newGreeting(a, "sesame").call(hello{card: anyCard}, func(welcome) verdict {
			Fail("the caller believes a mirror")
			return verdict{}
		})
		Expect(err).To(Or(MatchError(errToken), MatchError(os.ErrDeadlineExceeded)))
	})
})

var _ = Describe("The lives recorded in a directory", func() {
	ofStarts := func(n int) owner {
		o := owner{Node: "n0", Birth: "b", Cluster: "c"}
		for range n {
			o = o.begun()
		}
		return o
	}
	at := func(o owner, number uint64) meeting {
		return meeting{Life: life{number, o.Lives[number-1]}, Birth: o.Birth}
	}

	It("are exactly those of the directory", func() {
		o := ofStarts(3)
		for number := uint64(1); number <= 3; number++ {
			Expect(o.knows(at(o, number))).To(BeTrue())
		}
		copied, rolledBack := ofStarts(3), o
		rolledBack.Starts, rolledBack.Lives = 2, o.Lives[:2]
		Expect(copied.knows(at(o, 3))).To(BeFalse(), "a copy that went its own way")
		Expect(rolledBack.knows(at(o, 3))).To(BeFalse(), "an older state")
		Expect(rolledBack.knows(at(o, 2))).To(BeTrue())
		Expect(rolledBack.begun().knows(at(o, 3))).To(BeFalse(), "an older state that was started")
		Expect(ofStarts(0).knows(at(o, 1))).To(BeFalse(), "an empty directory")
		Expect(o.knows(meeting{})).To(BeFalse(), "no life")
	})

	It("are bounded, and older lives count as known", func() {
		o := ofStarts(3)
		first := at(o, 1)
		for range rememberedLives {
			o = o.begun()
		}
		Expect(o.Lives).To(HaveLen(rememberedLives))
		Expect(o.validate()).To(Succeed())
		Expect(o.knows(first)).To(BeTrue())
		Expect(o.knows(meeting{Life: life{4, "other"}, Birth: "b"})).To(BeFalse(), "the oldest that is listed")
		Expect(o.knows(meeting{Life: o.life(), Birth: "b"})).To(BeTrue())
	})

	It("need not include those of a removed member with the same name", func() {
		o := ofStarts(1)
		o.Admitted = 8
		Expect(o.knows(meeting{Life: life{5, "x"}, Birth: "other", Since: 7})).To(BeTrue())
		Expect(o.knows(meeting{Life: life{5, "x"}, Birth: "other", Since: 8})).To(BeFalse())
		Expect(o.knows(meeting{Life: life{5, "x"}, Birth: "b", Since: 7})).To(BeFalse())
	})
})

// FuzzGreeting sends arbitrary bytes to a host: it never continues to replication, and it returns.
func FuzzGreeting(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{greetingVersion})
	f.Add([]byte{greetingVersion, 0, 0, 0, 2, '{', '}', 0, 0, 0, 2, '{', '}'})
	f.Add([]byte{greetingVersion, 0xff, 0xff, 0xff, 0xff})
	f.Add(append([]byte{greetingVersion, 0, 0, 0, 27}, `{"node":"n1","met":{"a":1}}`...))
	f.Fuzz(func(t *testing.T, sent []byte) {
		said := struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(sent), io.Discard}
		_, _, _, err := newGreeting(said, "sesame").receive(func(theirs hello) welcome {
			w := welcome{card: anyCard}
			w.Knows = theirs.Met == nil || owner{Node: "n0", Birth: "b", Starts: 1, Lives: []string{"l"}}.knows(*theirs.Met)
			w.Refusal = mismatch(anyCard, theirs.card, theirs.Purpose)
			return w
		})
		if err == nil {
			t.Fatalf("%q passes for a greeting with the token", sent)
		}
	})
}

// FuzzOwner opens a directory whose owner file has arbitrary content with a valid checksum: it belongs
// to the node, or the error names the directory.
func FuzzOwner(f *testing.F) {
	f.Add([]byte(`{"node":"n0","birth":"b","starts":2,"lives":["x","y"],"met":{"n1":{"life":{"number":1,"id":"z"}}}}`))
	f.Add([]byte(`{"node":"n1","birth":"b"}`))
	f.Add([]byte(`{"node":"n0","birth":"b","starts":1,"lives":["x","y"]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		d, err := disk.Files(dir).Open()
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := durable.WriteSealed(d, ownerFile, ownerTemporary, content); err != nil {
			t.Fatal(err)
		}
		opened, err := openIdentity(d, newFailStop(nil), Config{ID: "n0", Dir: dir})
		if err != nil {
			if !bytes.Contains([]byte(err.Error()), []byte(dir)) {
				t.Fatalf("%q: the error names no place: %v", content, err)
			}
			return
		}
		o := opened.get()
		if o.Node != "n0" {
			t.Fatalf("%q is taken for the directory of n0", content)
		}
		for number := range uint64(4) {
			o.begun().knows(meeting{Life: life{number, "x"}, Birth: o.Birth})
		}
	})
}

var _ = Describe("A directory", func() {
	open := func(dir, id string) (*identity, error) {
		GinkgoHelper()
		d, err := disk.Files(dir).Open()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(d.Close)
		return openIdentity(d, newFailStop(nil), Config{ID: id, Dir: dir})
	}

	It("belongs to the first node that opened it", func() {
		dir := GinkgoT().TempDir()
		_, err := open(dir, "n0")
		Expect(err).NotTo(HaveOccurred())
		_, err = open(dir, "n0")
		Expect(err).NotTo(HaveOccurred())
		_, err = open(dir, "n9")
		Expect(err).To(MatchError(ContainSubstring("belongs to node n0 of no cluster, not to node n9")))
	})

	It("is refused if any byte of its owner file is flipped, or the file is truncated anywhere", func() {
		dir := GinkgoT().TempDir()
		_, err := open(dir, "n0")
		Expect(err).NotTo(HaveOccurred())
		file := filepath.Join(dir, ownerFile)
		good, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		for at := range good {
			for _, bad := range [][]byte{good[:at], flipped(good, at)} {
				Expect(os.WriteFile(file, bad, 0o600)).To(Succeed())
				_, err := open(dir, "n0")
				Expect(err).To(MatchError(ContainSubstring(file)))
			}
		}
	})

	It("is refused without its owner file, unless it is empty", func() {
		dir := GinkgoT().TempDir()
		Expect(os.MkdirAll(filepath.Join(dir, "log"), 0o700)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(dir, "log", "meta"), nil, 0o600)).To(Succeed())
		_, err := open(dir, "n0")
		Expect(err).To(MatchError(ContainSubstring("identity/owner is missing")))
		Expect(os.Remove(filepath.Join(dir, "log", "meta"))).To(Succeed())
		_, err = open(dir, "n0")
		Expect(err).NotTo(HaveOccurred())
	})
})

func flipped(good []byte, at int) []byte {
	bad := bytes.Clone(good)
	bad[at] ^= 0x20
	return bad
}

var _ = Describe("A first member that crashed", func() {
	It("between founding its cluster and writing its log continues", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		memory := network.Memory(1)
		DeferCleanup(memory.Close)
		host, err := memory.Host("n0")
		Expect(err).NotTo(HaveOccurred())
		config := Config{ID: "n0", Dir: dir, Endpoint: host, Peers: []Peer{{ID: "n0", Address: host.Addr()}}}
		d, err := disk.Files(dir).Open()
		Expect(err).NotTo(HaveOccurred())
		half, err := openIdentity(d, newFailStop(nil), config)
		Expect(err).NotTo(HaveOccurred())
		Expect(half.change(func(o *owner) bool {
			o.First, o.Founders = firstDigest(config.Peers), map[string]string{"n0": o.Birth}
			o.Cluster = clusterID(o.First, o.Founders)
			return true
		})).To(Succeed())
		Expect(d.Close()).To(Succeed())

		n, err := Start(config)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(n.Close)
		Eventually(ctx, n.Health).Should(HaveField("State", Online))
		Expect(n.Health().Cluster).To(Equal(half.get().Cluster))
		Eventually(ctx, func() bool { return n.identity.get().Logged }).Should(BeTrue())
	})
})
