package defects

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

const membershipKind = "membership and addresses"

// membership are bugs in the voters of a cluster and the addresses of its nodes.
func membership() []Defect {
	return []Defect{
		inTransport("listeners-become-voters", membershipKind,
			"a leader replicates members without a vote as voters", "suite:quorums",
			func(t embedded.Transport) embedded.Transport { return promoting{t} }),
		inTransport("lease-counts-everybody", membershipKind,
			"a heartbeat counts as answered while any member answers, even one without a vote", "suite:quorums",
			func(t embedded.Transport) embedded.Transport { return &companionable{Transport: t} }),
		inTransport("appends-go-where-a-node-was", membershipKind,
			"entries are sent to the first known address of a member", "suite:moved",
			func(t embedded.Transport) embedded.Transport { return &homing{Transport: t, appends: true} }),
		inTransport("votes-are-asked-where-a-node-was", membershipKind,
			"vote requests are sent to the first known address of a member", "suite:moved",
			func(t embedded.Transport) embedded.Transport { return &homing{Transport: t} }),
		inMembers("removal-is-not-made",
			"a request to remove a member succeeds without effect", "suite:removed",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange) {
				if change.Remove == "" {
					inner.ServeHTTP(w, r)
					return
				}
				made(w)
			}),
		inMembers("address-is-not-replaced",
			"a member that is added again keeps its old address", "suite:moved",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange) {
				if change.Add != nil {
					for _, peer := range healthOf(r, inner).Peers {
						if peer.ID == change.Add.ID {
							change.Add.Address = peer.Address
						}
					}
				}
				inner.ServeHTTP(w, changing(r, change))
			}),
		inMembers("vote-is-not-taken-away",
			"a voter that is demoted keeps its vote", "suite:membership",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange) {
				if change.Add != nil {
					for _, peer := range healthOf(r, inner).Peers {
						change.Add.Voter = change.Add.Voter || peer.ID == change.Add.ID && peer.Voter
					}
				}
				inner.ServeHTTP(w, changing(r, change))
			}),
		inMembers("refused-change-looks-made",
			"a refused membership change is answered as done", "suite:membership",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange) {
				answer := httptest.NewRecorder()
				inner.ServeHTTP(answer, changing(r, change))
				if answer.Code == http.StatusConflict {
					made(w)
					return
				}
				pass(w, answer)
			}),
		inMembers("change-is-answered-before-it-is-made",
			"a membership change is answered before it is committed", "suite:membership",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange) {
				const patience = 100 * time.Millisecond
				answer, done := httptest.NewRecorder(), make(chan struct{})
				go func() { defer close(done); inner.ServeHTTP(answer, changing(r, change)) }()
				timer := time.NewTimer(patience)
				defer timer.Stop()
				select {
				case <-done:
					pass(w, answer)
				case <-timer.C:
					made(w)
					if flusher, can := w.(http.Flusher); can {
						flusher.Flush()
					}
					<-done
				}
			}),
		inStores("last-member-is-forgotten", membershipKind,
			"after a restart, a node of a cluster of four or more does not know the last member", "suite:quorums",
			func(s embedded.Stores) embedded.Stores {
				s.Log = &fewer{LogStore: s.Log}
				return s
			}),
	}
}

// configured returns the entries, with change applied to the configurations among them.
func configured(entries []*raft.Log, change func(raft.Configuration) raft.Configuration) []*raft.Log {
	changed := make([]*raft.Log, len(entries))
	for i, log := range entries {
		changed[i] = log
		if log.Type != raft.LogConfiguration {
			continue
		}
		other := *log
		other.Data = raft.EncodeConfiguration(change(raft.DecodeConfiguration(log.Data)))
		changed[i] = &other
	}
	return changed
}

// promoting is a transport that makes every member a voter.
type promoting struct{ embedded.Transport }

func (t promoting) AppendEntries(
	id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	sent := *args
	sent.Entries = configured(args.Entries, func(members raft.Configuration) raft.Configuration {
		members = members.Clone()
		for i := range members.Servers {
			members.Servers[i].Suffrage = raft.Voter
		}
		return members
	})
	return t.Transport.AppendEntries(id, to, &sent, resp)
}

// companionable is a transport that accepts the answer of any member for that of another.
type companionable struct {
	embedded.Transport

	mu       sync.Mutex
	answered time.Time // time of the last answer of any member
}

// company is the maximum age of that answer.
const company = 100 * time.Millisecond

func (t *companionable) AppendEntries(
	id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	if len(args.Entries) > 0 || args.PrevLogEntry > 0 || args.LeaderCommitIndex > 0 {
		return t.Transport.AppendEntries(id, to, args, resp)
	}
	answer, done := &raft.AppendEntriesResponse{}, make(chan error, 1)
	go func() { done <- t.Transport.AppendEntries(id, to, args, answer) }()
	timer := time.NewTimer(company / 10)
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			t.mu.Lock()
			defer t.mu.Unlock()
			if err == nil {
				t.answered = time.Now()
				*resp = *answer
			}
			return err
		case <-timer.C:
			t.mu.Lock()
			lately := time.Since(t.answered) < company
			t.mu.Unlock()
			if lately {
				resp.Term, resp.Success = args.Term, true
				return nil
			}
			timer.Reset(company / 10)
		}
	}
}

// homing is a transport that sends to the first known address of each node.
type homing struct {
	embedded.Transport
	appends bool // affects appends; otherwise votes

	mu    sync.Mutex
	homes map[raft.ServerID]raft.ServerAddress
}

func (t *homing) home(id raft.ServerID, at raft.ServerAddress) raft.ServerAddress {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.homes == nil {
		t.homes = make(map[raft.ServerID]raft.ServerAddress)
	}
	if _, known := t.homes[id]; !known {
		t.homes[id] = at
	}
	return t.homes[id]
}

func (t *homing) AppendEntries(
	id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	if first := t.home(id, to); t.appends {
		to = first
	}
	return t.Transport.AppendEntries(id, to, args, resp)
}

func (t *homing) AppendEntriesPipeline(id raft.ServerID, to raft.ServerAddress) (raft.AppendPipeline, error) {
	if first := t.home(id, to); t.appends {
		to = first
	}
	return t.Transport.AppendEntriesPipeline(id, to)
}

func (t *homing) RequestVote(
	id raft.ServerID, to raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse,
) error {
	if first := t.home(id, to); !t.appends {
		to = first
	}
	return t.Transport.RequestVote(id, to, args, resp)
}

func (t *homing) RequestPreVote(
	id raft.ServerID, to raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse,
) error {
	if first := t.home(id, to); !t.appends {
		to = first
	}
	return t.Transport.RequestPreVote(id, to, args, resp)
}

// memberChange is the body of a request for a membership change.
type memberChange struct {
	Add    *embedded.Member `json:"add,omitempty"`
	Remove string           `json:"remove,omitempty"`
}

// membersHandler answers requests for a membership change in place of inner.
type membersHandler func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange)

// inMembers is a bug in the HTTP API's answers to requests for a membership change.
func inMembers(name, text, about string, serve membersHandler) Defect {
	seams := inHandlers(func(inner http.Handler, w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/members") {
			inner.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		var change memberChange
		if err != nil || json.Unmarshal(body, &change) != nil || (change.Add == nil) == (change.Remove == "") {
			inner.ServeHTTP(w, r)
			return
		}
		serve(inner, w, r, change)
	})
	return Defect{Name: name, Kind: membershipKind, Text: text, About: about, seams: seams}
}

// changing returns the request with the body change.
func changing(r *http.Request, change memberChange) *http.Request {
	body, err := json.Marshal(change)
	if err != nil {
		return r
	}
	changed := r.Clone(r.Context())
	changed.Body, changed.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return changed
}

func made(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}\n")
}

// fewer is a log that drops the last member of configurations with four or more.
type fewer struct{ raft.LogStore }

func (l *fewer) GetLog(index uint64, log *raft.Log) error {
	if err := l.LogStore.GetLog(index, log); err != nil {
		return err
	}
	const enough = 4
	*log = *configured([]*raft.Log{log}, func(members raft.Configuration) raft.Configuration {
		if len(members.Servers) < enough {
			return members
		}
		members.Servers = members.Servers[:len(members.Servers)-1]
		return members
	})[0]
	return nil
}

// IsMonotonic returns the property of the wrapped log.
func (l *fewer) IsMonotonic() bool {
	inner, is := l.LogStore.(raft.MonotonicLogStore)
	return is && inner.IsMonotonic()
}
