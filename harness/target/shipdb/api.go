package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

type request struct {
	Text       json.RawMessage `json:"statements"`
	Read       string          `json:"read"`
	statements []statement     // what Text says
}

// failure is an error in an answer.
type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Applied string `json:"applied"`
}

var statuses = map[string]int{
	"bad_request": 400, "refused": 400, "constraint": 400, "sql": 400,
	"no_leader": 503, "no_quorum": 503, "replaced": 503, "timeout": 504, "lost": 502,
}

func fail(code, message string) answer {
	applied := "no"
	if code == "timeout" || code == "lost" {
		applied = "unknown"
	}
	return answer{Error: &failure{code, message, applied}, status: statuses[code]}
}

// limit is how long a request waits for a majority.
const limit = 2 * time.Second

// passedOn marks a request that another node has passed on.
const passedOn = "Ship-Passed-On"

func (n *node) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /exec", n.serve(n.exec))
	mux.HandleFunc("POST /query", n.serve(n.query))
	mux.HandleFunc("GET /status", n.status)
	mux.HandleFunc("POST /ship/append", n.hearing(between(n, n.onShip)))
	mux.HandleFunc("POST /ship/vote", between(n, n.onVote))
	return mux
}

// serve answers a client's request. handle returns nil if the leader must answer it.
func (n *node) serve(handle func(context.Context, request) *answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var ask request
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &ask)
		}
		if err == nil {
			err = json.Unmarshal(ask.Text, &ask.statements)
		}
		var got *answer
		if err != nil || ask.Read != "" && ask.Read != "local" && ask.Read != "leader" {
			got = new(fail("bad_request", fmt.Sprint("the body is not as documented: ", err)))
		}
		for _, s := range ask.statements {
			if why := refused(s.SQL); got == nil && why != "" {
				got = new(fail("refused", why))
			}
		}
		if got == nil {
			got = handle(r.Context(), ask)
		}
		if got == nil && r.Header.Get(passedOn) == "" && n.passOn(w, r, body) {
			return
		}
		if got == nil {
			got = new(fail("no_leader", "the node does not lead and knows no leader"))
		}
		write(w, got.status, got)
	}
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	if status != 0 {
		w.WriteHeader(status)
	}
	_ = json.NewEncoder(w).Encode(v) // a client that has gone needs no answer
}

func (n *node) exec(ctx context.Context, ask request) *answer {
	answers := make(chan answer, 1)
	leads := false
	n.do(func() error {
		if leads = n.role == leader; leads {
			return n.add(ask.Text, answers)
		}
		return nil
	})
	if !leads {
		return nil
	}
	select {
	case got := <-answers:
		return &got
	case <-time.After(limit):
	case <-ctx.Done():
	case <-n.ended.Done():
	}
	return new(fail("timeout", "no majority has confirmed the request"))
}

func (n *node) query(ctx context.Context, ask request) *answer {
	if ask.Read == "leader" {
		ready := make(chan bool, 1)
		leads := false
		n.do(func() error { leads = n.confirm(ready); return nil })
		if !leads {
			return nil
		}
		select {
		case still := <-ready:
			if !still {
				return new(fail("no_leader", "the node has ceased to lead"))
			}
		case <-time.After(limit):
			return new(fail("no_quorum", "no majority has confirmed that the node leads"))
		case <-ctx.Done():
		}
	}
	results, err := n.store.read(ctx, ask.statements)
	if err != nil {
		return new(fail(codeOf(err), err.Error()))
	}
	return &answer{Results: results}
}

// passOn lets the leader answer a request. It returns false if the node knows no other leader.
func (n *node) passOn(w http.ResponseWriter, r *http.Request, body []byte) bool {
	var address string
	n.do(func() error {
		if n.leader != n.name {
			address = n.peers[n.leader]
		}
		return nil
	})
	if address == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(r.Context(), limit+patience)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return false
	}
	ask.Header.Set(passedOn, n.name)
	got, err := n.client.Do(ask)
	var text []byte
	if err == nil {
		text, err = io.ReadAll(got.Body)
		err = errors.Join(err, got.Body.Close())
	}
	if err != nil {
		lost := fail("lost", "the connection to the leader broke: "+err.Error())
		if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
			lost = fail("no_leader", "the leader cannot be reached: "+err.Error())
		}
		write(w, lost.status, lost)
		return true
	}
	write(w, got.StatusCode, json.RawMessage(text))
	return true
}

func (n *node) status(w http.ResponseWriter, _ *http.Request) {
	var s struct {
		Name    string `json:"name"`
		Role    role   `json:"role"`
		Leader  string `json:"leader"`
		Term    uint64 `json:"term"`
		Commit  uint64 `json:"commit"`
		Applied uint64 `json:"applied"`
		Last    uint64 `json:"last"`
	}
	if !n.do(func() error {
		s.Name, s.Role, s.Leader, s.Term, s.Commit, s.Applied, s.Last = n.name, n.role, n.leader, n.term, n.commit, n.applied, n.last
		return nil
	}) {
		http.Error(w, "the node is ending", http.StatusServiceUnavailable)
		return
	}
	write(w, 0, s)
}

// between answers a request of another node.
func between[Ask, Answer any](n *node, handle func(Ask) (Answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var ask Ask
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var got Answer
		if !n.do(func() (err error) { got, err = handle(ask); return err }) {
			http.Error(w, "the node is ending", http.StatusServiceUnavailable)
			return
		}
		write(w, 0, got)
	}
}
