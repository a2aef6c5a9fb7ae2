package defects

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// checkedBy separates a key from the life and the number of the leader's request that found it new.
const checkedBy = "#checked-by-"

const longestKey = 128 // bytes; see embedded.HeaderRequest

// keysInMemory makes a leader check whether keys are new. The state machine trusts it.
func keysInMemory(life embedded.Life) embedded.Seams {
	k := &keyNotes{noted: make(map[string]bool), life: fmt.Sprintf("%s.%d", life.ID, time.Now().UnixMicro())}
	return embedded.Seams{
		Handler: overSQL(k.serve),
		Machine: func(inner raft.BatchingFSM) raft.BatchingFSM {
			applied := make(map[string]string) // which check found the key new
			return rewriting(inner, func(log *raft.Log, entry machine.Entry) machine.Entry {
				key, by, checked := strings.Cut(entry.ID, checkedBy)
				if !checked {
					return entry
				}
				entry.ID = key
				if before, known := applied[key]; known && before != by && lifeOf(before) == lifeOf(by) {
					entry.ID = fmt.Sprintf("%s again at %d", key, log.Index)
					return entry
				}
				applied[key] = by
				return entry
			})
		},
	}
}

func lifeOf(by string) string { return by[:strings.LastIndex(by, ".")] }

type keyNotes struct {
	life string

	mu    sync.Mutex
	noted map[string]bool
	found int // number of new keys
}

func (k *keyNotes) serve(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
	key := r.Header.Get(embedded.HeaderRequest)
	if key == "" || strings.Contains(key, checkedBy) || !changesData(asked) || healthOf(r, inner).Role != "leader" {
		inner.ServeHTTP(w, r)
		return
	}
	if number := k.find(key); number > 0 {
		if named := fmt.Sprintf("%s%s%s.%d", key, checkedBy, k.life, number); len(named) <= longestKey {
			r = r.Clone(r.Context())
			r.Header.Set(embedded.HeaderRequest, named)
		}
	}
	inner.ServeHTTP(w, r)
}

// find returns a number for a new key, and 0 for a known one.
func (k *keyNotes) find(key string) int {
	k.mu.Lock()
	noted := k.noted[key]
	k.mu.Unlock()
	if noted {
		return 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.noted[key] = true
	k.found++
	return k.found
}

// answersUnderWay makes a retry wait for the first attempt.
func answersUnderWay(embedded.Life) embedded.Seams {
	u := &underWay{first: make(map[string]*firstOne)}
	return embedded.Seams{Handler: overSQL(u.serve)}
}

type underWay struct {
	mu    sync.Mutex
	first map[string]*firstOne // by key and question
}

type firstOne struct {
	ended  chan struct{}
	answer *httptest.ResponseRecorder
}

func (u *underWay) serve(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
	key := r.Header.Get(embedded.HeaderRequest)
	if key == "" || !changesData(asked) {
		inner.ServeHTTP(w, r)
		return
	}
	key += fmt.Sprintf(" %#v", asked)
	u.mu.Lock()
	first, again := u.first[key]
	if !again {
		first = &firstOne{ended: make(chan struct{})}
		u.first[key] = first
	}
	u.mu.Unlock()
	if !again {
		pass(w, u.ask(inner, r, key, first))
		return
	}
	select {
	case <-first.ended:
	case <-r.Context().Done():
		return
	}
	u.mu.Lock()
	answer := first.answer
	u.mu.Unlock()
	switch {
	case answer == nil:
		answerNothing(w)
	case answer.Code == http.StatusOK:
		pass(w, answer)
	default: // the retry may succeed
		inner.ServeHTTP(w, r)
	}
}

func (u *underWay) ask(inner http.Handler, r *http.Request, key string, first *firstOne) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	answer.Code = http.StatusInternalServerError // if ServeHTTP panics
	defer func() {
		u.mu.Lock()
		delete(u.first, key)
		close(first.ended)
		u.mu.Unlock()
		u.mu.Lock()
		first.answer = answer
		u.mu.Unlock()
	}()
	whole := httptest.NewRecorder()
	inner.ServeHTTP(whole, r.Clone(context.WithoutCancel(r.Context())))
	answer = whole
	return whole
}

// tellsUnderWay notifies the changes in progress of each change that was applied.
func tellsUnderWay(embedded.Life) embedded.Seams {
	l := &listeners{channels: make(map[int]chan string)}
	return embedded.Seams{Handler: overSQL(l.serve)}
}

type listeners struct {
	mu       sync.Mutex
	channels map[int]chan string // of the changes in progress
	begun    int
}

func (l *listeners) serve(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
	if !changesData(asked) {
		inner.ServeHTTP(w, r)
		return
	}
	number, told := l.begin()
	defer close(told)
	answer := httptest.NewRecorder()
	defer l.end(number) // also if ServeHTTP panics
	inner.ServeHTTP(answer, r)
	surviving(w, func() {
		index := answer.Header().Get(embedded.HeaderIndex)
		for _, other := range l.end(number) {
			select {
			case other <- index:
			default: // it has a notification already
			}
		}
		pass(w, answer)
	})
}

func (l *listeners) begin() (number int, told chan string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun++
	told = make(chan string, 1)
	l.channels[l.begun] = told
	return l.begun, told
}

// end unregisters a change and returns the channels of the others.
func (l *listeners) end(number int) (others []chan string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.channels, number)
	for i := range l.begun + 1 {
		if other, listens := l.channels[i]; listens {
			others = append(others, other)
		}
	}
	return others
}

// announced delays the answers to changes until they are announced. A separate goroutine announces each batch of
// entries.
func announced(embedded.Life) embedded.Seams {
	a := &announcements{}
	return embedded.Seams{
		Handler: overSQL(a.serve),
		Machine: func(inner raft.BatchingFSM) raft.BatchingFSM { return announcing{inner, a} },
	}
}

type announcing struct {
	raft.BatchingFSM
	announcements *announcements
}

func (m announcing) Apply(log *raft.Log) any { return m.ApplyBatch([]*raft.Log{log})[0] }

func (m announcing) ApplyBatch(logs []*raft.Log) []any {
	answers := m.BatchingFSM.ApplyBatch(logs)
	last := logs[len(logs)-1].Index
	go m.announcements.announce(last)
	return answers
}

type announcements struct {
	mu      sync.Mutex
	index   uint64
	waiting []chan struct{}
}

func (a *announcements) announce(index uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index = max(a.index, index)
	for _, told := range a.waiting {
		close(told)
	}
	a.waiting = nil
}

// longestWait is how long a change waits for its announcement.
const longestWait = 2 * time.Second

func (a *announcements) serve(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
	if !changesData(asked) || healthOf(r, inner).Role != "leader" {
		inner.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	inner.ServeHTTP(answer, r)
	index, err := strconv.ParseUint(answer.Header().Get(embedded.HeaderIndex), 10, 64)
	if err != nil {
		index = 0
	}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	for !a.isThere(index) {
		select {
		case <-a.next():
		case <-timer.C:
			refuse(w, http.StatusServiceUnavailable, embedded.CodeTimeout,
				fmt.Sprintf("entry %d was not announced within %v", index, longestWait))
			return
		case <-r.Context().Done():
			return
		}
	}
	pass(w, answer)
}

func (a *announcements) isThere(index uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.index >= index
}

// next returns a channel that is closed at the next announcement.
func (a *announcements) next() <-chan struct{} {
	told := make(chan struct{})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = append(a.waiting, told)
	return told
}
