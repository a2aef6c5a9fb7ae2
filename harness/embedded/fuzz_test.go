package embedded

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/network"
)

// alone starts a single-node cluster.
func alone(tb testing.TB) *Node {
	tb.Helper()
	n := started(tb, 0)
	for deadline := time.Now().Add(10 * time.Second); n.Health().State != Online; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("the node does not come online: %+v", n.Health())
		}
	}
	return n
}

// started starts a node on an in-memory network, with peers that never start; patience is its
// WriteTimeout.
func started(tb testing.TB, patience time.Duration, peers ...Peer) *Node {
	tb.Helper()
	memory := network.Memory(1)
	tb.Cleanup(func() { _ = memory.Close() })
	host, err := memory.Host("n0")
	if err != nil {
		tb.Fatal(err)
	}
	peers = append([]Peer{{ID: "n0", Address: host.Addr()}}, peers...)
	n, err := Start(Config{ID: "n0", Dir: tb.TempDir(), Endpoint: host, WriteTimeout: patience, Peers: peers})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := n.Close(); err != nil {
			tb.Error(err)
		}
	})
	return n
}

func posted(path string, body []byte) *http.Request {
	request := httptest.NewRequest(http.MethodPost, "http://localhost"+path, bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	return request
}

func post(n *Node, body []byte) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	n.server.Handler.ServeHTTP(recorder, posted("/v1/api/sql", body))
	return recorder
}

// FuzzSQLEndpoint sends arbitrary requests: the answer is JSON, and the node still works.
func FuzzSQLEndpoint(f *testing.F) {
	for _, seed := range []string{
		"", "{", "null", `{"sql":"SELECT 1"}`, `{"sql":"SELECT ?","params":[{"base64":"AA=="}]}`,
		`{"sql":"CREATE TABLE t (a); INSERT INTO t VALUES (?) RETURNING *","params":[1.5]}`,
		`{"sql":"CREATE NAMESPACE n; CREATE TABLE n.t (a)"}`, `{"sql":"SELECT 1","consistency":"strong"}`,
		`{"sql":"INSERT OR ROLLBACK INTO t VALUES (1)"}`, `{"sql":"ATTACH ':memory:' AS x"}`, `{"sql":"SELECT '"}`,
		`{"sql":"EXPLAIN SELECT 1"}`, `{"sql":"SELECT 9e999, -0.0, x'00', NULL"}`, "{\"sql\":\"\\u0000\"}", `{"sql":"VALUES(1),(2)"}`,
	} {
		f.Add([]byte(seed))
	}
	n := alone(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		answer := post(n, body)
		var parsed struct {
			Status string `json:"status"`
			Error  *struct{ Code, Message string }
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &parsed); err != nil {
			t.Fatalf("%q was answered by %q: %v", body, answer.Body, err)
		}
		if success := answer.Code == http.StatusOK; success != (parsed.Status == "success") || success != (parsed.Error == nil) {
			t.Fatalf("%q was answered by status %d and %q", body, answer.Code, answer.Body)
		}
		if again := post(n, []byte(`{"sql":"SELECT 1","consistency":"strong"}`)); again.Code != http.StatusOK {
			t.Fatalf("after %q the node answers %q", body, again.Body)
		}
		if err := n.storage.machine.Failed(); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
	})
}

// FuzzMembersEndpoint requests arbitrary membership changes without a leader: malformed requests are
// refused as such, and the rest because there is no leader.
func FuzzMembersEndpoint(f *testing.F) {
	for _, seed := range []string{
		"", "{", "null", "{}", `{"add":{"id":"n1","address":"a:1","voter":true}}`, `{"remove":"n1"}`, `{"remove":""}`,
		`{"add":{"id":"n1","address":"a:1"},"remove":"n1"}`, `{"add":{"id":"","address":"a:1"}}`, `{"add":{"id":"\u0000","address":"a"}}`,
		`{"remove":"n1"} {"remove":"n2"}`, `{"remove":"n1"}}`, `{"remove":"n1","why":"not"}`, `[{"remove":"n1"}]`,
	} {
		f.Add([]byte(seed))
	}
	n := started(f, time.Millisecond, Peer{ID: "n1", Address: "10.0.0.9:1"})
	f.Fuzz(func(t *testing.T, body []byte) {
		answer := httptest.NewRecorder()
		n.server.Handler.ServeHTTP(answer, posted(membersPath, body))
		var said struct {
			Status string `json:"status"`
			Error  *struct{ Code, Message string }
		}
		err := json.Unmarshal(answer.Body.Bytes(), &said)
		if err != nil || said.Status != "error" || said.Error == nil || said.Error.Message == "" {
			t.Fatalf("%q was answered by status %d and %q: %v", body, answer.Code, answer.Body, err)
		}
		want := http.StatusServiceUnavailable
		var change memberChange
		if !json.Valid(body) || json.Unmarshal(body, &change) != nil || change.validate() != nil {
			want = http.StatusBadRequest
		}
		known := json.NewDecoder(bytes.NewReader(body))
		known.DisallowUnknownFields()
		if known.Decode(new(memberChange)) != nil {
			want = http.StatusBadRequest
		}
		if answer.Code != want {
			t.Fatalf("%q was answered by status %d and %q, not %d", body, answer.Code, answer.Body, want)
		}
	})
}

// FuzzMux starts a connection with arbitrary bytes: they reach at most the one listener they may,
// unchanged, and the mux stops.
func FuzzMux(f *testing.F) {
	const sesame = "sesame"
	f.Add([]byte{})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte{raftByte})
	f.Add([]byte("\x00" + sesame + "call"))
	f.Add([]byte("\x00" + sesame))
	f.Add([]byte("\x00sesamE and more"))
	f.Add([]byte("\x00ses"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		memory := network.Memory(1)
		defer memory.Close()
		host, err := memory.Host("n0")
		if err != nil {
			t.Fatal(err)
		}
		listener, err := host.Listen()
		if err != nil {
			t.Fatal(err)
		}
		all := newConns()
		m := newMux(listener, all, time.Minute, nil, func(conn io.ReadWriter) (bool, error) {
			got := make([]byte, len(sesame))
			_, err := io.ReadFull(conn, got)
			return string(got) == sesame, err
		})
		got := make(chan []byte, 2)
		receive := func(from net.Listener, skipped int) {
			conn, err := from.Accept()
			if err != nil {
				got <- nil
				return
			}
			data, _ := io.ReadAll(conn)
			_ = conn.Close()
			got <- append(bytes.Clone(sent[:skipped]), data...)
		}
		go receive(m.http, 0)
		go receive(m.raft, min(1+len(sesame), len(sent)))

		conn, err := host.DialContext(t.Context(), "tcp", host.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(sent)
		_ = conn.Close()
		wanted := len(sent) > 0 && (sent[0] != raftByte || bytes.HasPrefix(sent, []byte("\x00"+sesame)))
		var first []byte
		if wanted {
			select {
			case first = <-got:
			case <-time.After(10 * time.Second):
				t.Fatalf("%q did not arrive", sent)
			}
		}
		all.cut()
		if err := m.close(); err != nil {
			t.Fatal(err)
		}
		if !wanted {
			first = <-got
		}
		second := <-got
		if second != nil || wanted && !bytes.Equal(first, sent) || !wanted && first != nil {
			t.Fatalf("of %q there came %q and %q", sent, first, second)
		}
		if len(all.open) != 0 {
			t.Fatalf("%d connections are left", len(all.open))
		}
	})
}
