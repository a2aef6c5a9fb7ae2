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

// membership are bugs in who counts, and where the nodes are.
func membership() []Defect {
	const kind = "membership and addresses"
	return []Defect{
		inVotes("listeners-become-voters", kind,
			"members that do not vote are sent to the others as members that do", "suite:quorums",
			func(t embedded.Transport) embedded.Transport { return promoting{t} }),
		inVotes("lease-counts-everybody", kind,
			"a heartbeat that is not answered counts as answered while any member answers, whether or not it votes", "suite:quorums",
			func(t embedded.Transport) embedded.Transport { return &companionable{Transport: t} }),
		inVotes("appends-go-where-a-node-was", kind,
			"entries are sent to a member where it was when it was first sent any", "suite:moved",
			func(t embedded.Transport) embedded.Transport { return &homing{Transport: t, appends: true} }),
		inVotes("votes-are-asked-where-a-node-was", kind,
			"votes are asked of a member where it was when it was first sent anything", "suite:moved",
			func(t embedded.Transport) embedded.Transport { return &homing{Transport: t} }),
		inMembers("removal-is-not-made", kind,
			"a request to remove a member is answered as done, and nothing is done", "suite:removed",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange) {
				if change.Remove == "" {
					inner.ServeHTTP(w, r)
					return
				}
				made(w)
			}),
		inMembers("address-is-not-replaced", kind,
			"a member that is added again keeps the address that it had", "suite:moved",
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
		inMembers("vote-is-not-taken-away", kind,
			"a voter that is to listen only keeps its vote", "suite:membership",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange) {
				if change.Add != nil {
					for _, peer := range healthOf(r, inner).Peers {
						change.Add.Voter = change.Add.Voter || peer.ID == change.Add.ID && peer.Voter
					}
				}
				inner.ServeHTTP(w, changing(r, change))
			}),
		inMembers("refused-change-looks-made", kind,
			"a change of the members that is refused is answered as done", "suite:membership",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange) {
				answer := httptest.NewRecorder()
				inner.ServeHTTP(answer, changing(r, change))
				if answer.Code == http.StatusConflict {
					made(w)
					return
				}
				pass(w, answer)
			}),
		inMembers("change-is-answered-before-it-is-made", kind,
			"a change of the members is answered before it is committed", "suite:membership",
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
		inStores("last-member-is-forgotten", kind,
			"a node that starts again does not know the member that came last, if there are four or more", "suite:quorums",
			func(s embedded.Stores) embedded.Stores {
				s.Log = &fewer{LogStore: s.Log}
				return s
			}),
	}
}

// configured are the entries with those about members as change makes them.
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

// promoting is a transport over which all members vote.
type promoting struct{ embedded.Transport }

func (t promoting) AppendEntries(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
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

// companionable is a transport on which one member's answer is as good as another's.
type companionable struct {
	embedded.Transport

	mu       sync.Mutex
	answered time.Time // when any member answered last
}

// company is how long ago another may have answered.
const company = 100 * time.Millisecond

func (t *companionable) AppendEntries(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
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

// homing is a transport that sends to where each node was first.
type homing struct {
	embedded.Transport
	appends bool // what it sends there; votes otherwise

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

func (t *homing) AppendEntries(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
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

func (t *homing) RequestVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	if first := t.home(id, to); !t.appends {
		to = first
	}
	return t.Transport.RequestVote(id, to, args, resp)
}

func (t *homing) RequestPreVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	if first := t.home(id, to); !t.appends {
		to = first
	}
	return t.Transport.RequestPreVote(id, to, args, resp)
}

// memberChange is the body of a request for a change of the members.
type memberChange struct {
	Add    *embedded.Member `json:"add,omitempty"`
	Remove string           `json:"remove,omitempty"`
}

// inMembers is a defect of the API; serve answers requests for a change of the members.
func inMembers(name, kind, text, about string, serve func(inner http.Handler, w http.ResponseWriter, r *http.Request, change memberChange)) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: about, seams: inHandlers(func(inner http.Handler, w http.ResponseWriter, r *http.Request) {
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
	})}
}

// changing is the request with another change.
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

// fewer is a log whose entries about four members or more lack the last one.
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

// IsMonotonic is what the log within says.
func (l *fewer) IsMonotonic() bool {
	inner, is := l.LogStore.(raft.MonotonicLogStore)
	return is && inner.IsMonotonic()
}
