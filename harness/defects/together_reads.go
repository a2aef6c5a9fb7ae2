package defects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// toldEarly ends waits for an entry when the entry is about to be applied.
func toldEarly(embedded.Life) embedded.Seams {
	t := &told{}
	return embedded.Seams{
		Machine: func(inner raft.BatchingFSM) raft.BatchingFSM {
			return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
				t.tell(logs[len(logs)-1].Index)
				return inner.ApplyBatch(logs)
			}}
		},
		Progress: func(inner embedded.Progress) embedded.Progress { t.Progress = inner; return t },
	}
}

// told is progress whose waits can be ended early.
type told struct {
	embedded.Progress

	mu      sync.Mutex
	index   uint64
	waiting []*waiter
}

type waiter struct {
	index uint64
	end   context.CancelCauseFunc // ends its wait
}

var errTold = errors.New("it is applied")

func (t *told) tell(index uint64) {
	t.mu.Lock()
	t.index = index
	waiting := slices.Clone(t.waiting)
	t.mu.Unlock()
	for _, w := range waiting {
		if w.index <= index {
			w.end(errTold)
		}
	}
}

func (t *told) WaitApplied(ctx context.Context, index uint64) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	w := &waiter{index, end}
	if t.enter(w) {
		return nil
	}
	defer t.leave(w)
	err := t.Progress.WaitApplied(ctx, index)
	if errors.Is(context.Cause(ctx), errTold) {
		return nil
	}
	return err
}

// enter registers a wait. It returns true if there is nothing to wait for.
func (t *told) enter(w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.index >= w.index {
		return true
	}
	t.waiting = append(t.waiting, w)
	return false
}

func (t *told) leave(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = slices.DeleteFunc(t.waiting, func(other *waiter) bool { return other == w })
}

// answersInMemory makes a node cache answers to reads until an entry is applied.
func answersInMemory(embedded.Life) embedded.Seams {
	k := &keptAnswers{answers: make(map[string]*httptest.ResponseRecorder)}
	return embedded.Seams{
		Handler: overSQL(k.serve),
		Machine: func(inner raft.BatchingFSM) raft.BatchingFSM { return forgettingAnswers{inner, k} },
	}
}

// forgettingAnswers is a state machine that drops cached answers. The wrapped machine wakes waits for an entry before
// that.
type forgettingAnswers struct {
	raft.BatchingFSM
	kept *keptAnswers
}

func (m forgettingAnswers) Apply(log *raft.Log) any { return m.ApplyBatch([]*raft.Log{log})[0] }

func (m forgettingAnswers) ApplyBatch(logs []*raft.Log) []any {
	defer m.kept.forget()
	return m.BatchingFSM.ApplyBatch(logs)
}

func (m forgettingAnswers) Restore(source io.ReadCloser) error {
	defer m.kept.forget()
	return m.BatchingFSM.Restore(source)
}

type keptAnswers struct {
	mu      sync.Mutex
	answers map[string]*httptest.ResponseRecorder // by question
	age     int                                   // number of times they were dropped
}

func (k *keptAnswers) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.answers)
	k.age++
}

func (k *keptAnswers) find(question string) (answer *httptest.ResponseRecorder, age int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.answers[question], k.age
}

// keep caches an answer, unless an entry was applied since that age.
func (k *keptAnswers) keep(question string, answer *httptest.ResponseRecorder, age int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.age == age {
		k.answers[question] = answer
	}
}

func (k *keptAnswers) serve(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
	// An answer without a table may depend on the clock.
	if changesData(asked) || asked.Consistency == wire.Local || !strings.Contains(asked.SQL, " FROM ") {
		inner.ServeHTTP(w, r)
		return
	}
	ready := httptest.NewRecorder()
	inner.ServeHTTP(ready, asking(r, wire.Request{SQL: "SELECT 1", Consistency: asked.Consistency}))
	if ready.Code != http.StatusOK {
		pass(w, ready)
		return
	}
	question := fmt.Sprintf("%q %#v", asked.SQL, asked.Params)
	known, age := k.find(question)
	if known != nil {
		pass(w, known)
		return
	}
	asked.Consistency = wire.Local
	answer := httptest.NewRecorder()
	inner.ServeHTTP(answer, asking(r, asked))
	if answer.Code == http.StatusOK && answer.Body.Len() <= smallAnswer {
		k.keep(question, answer, age)
	}
	pass(w, answer)
}

// smallAnswer is the maximum size in bytes of an answer that is cached or pooled. A connection accepts that many bytes
// without blocking.
const smallAnswer = 1 << 10

// pooledAnswers puts answers to reads into pooled buffers.
func pooledAnswers(embedded.Life) embedded.Seams {
	pool := &sync.Pool{New: func() any { return new(bytes.Buffer) }}
	return embedded.Seams{Handler: overSQL(func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
		if changesData(asked) {
			inner.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		inner.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK && answer.Body.Len() <= smallAnswer {
			answer.Body = bytes.NewBuffer(buffered(pool, answer.Body.Bytes()))
		}
		pass(w, answer)
	})}
}

// buffered copies the content to a buffer of the pool.
func buffered(pool *sync.Pool, content []byte) []byte {
	buffer := pool.Get().(*bytes.Buffer)
	defer pool.Put(buffer)
	buffer.Reset()
	buffer.Write(content)
	return buffer.Bytes()
}

// joinedReads merges equal concurrent reads.
func joinedReads(embedded.Life) embedded.Seams {
	g := &groups{open: make(map[string]*group)}
	return embedded.Seams{Handler: overSQL(func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
		if changesData(asked) {
			inner.ServeHTTP(w, r)
			return
		}
		surviving(w, func() { g.serve(inner, w, r, fmt.Sprintf("%#v", asked)) })
	})}
}

type groups struct {
	mu   sync.Mutex
	open map[string]*group // by question
}

// group is a set of reads that wait for the first of them.
type group struct {
	joined chan chan *httptest.ResponseRecorder
}

// mostJoined is the maximum number of reads that join another.
const mostJoined = 16

func (g *groups) serve(inner http.Handler, w http.ResponseWriter, r *http.Request, question string) {
	mine, first := g.join(question)
	if first {
		pass(w, g.ask(inner, r, question, mine))
		return
	}
	answered := make(chan *httptest.ResponseRecorder, 1)
	select {
	case mine.joined <- answered:
	default: // the group is full
		inner.ServeHTTP(w, r)
		return
	}
	select {
	case answer := <-answered:
		pass(w, answer)
	case <-r.Context().Done():
	}
}

func (g *groups) join(question string) (mine *group, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	mine = g.open[question]
	if mine == nil {
		mine, first = &group{make(chan chan *httptest.ResponseRecorder, mostJoined)}, true
		g.open[question] = mine
	}
	return mine, first
}

// ask runs the read for all that join meanwhile.
func (g *groups) ask(inner http.Handler, r *http.Request, question string, mine *group) *httptest.ResponseRecorder {
	runtime.Gosched() // lets concurrent reads join
	g.mu.Lock()
	delete(g.open, question)
	g.mu.Unlock()
	close(mine.joined)
	answer := httptest.NewRecorder()
	answer.Code = http.StatusInternalServerError // if ServeHTTP panics
	defer func() {
		for answered := range mine.joined {
			answered <- answer
		}
	}()
	whole := httptest.NewRecorder()
	inner.ServeHTTP(whole, r.Clone(context.WithoutCancel(r.Context())))
	answer = whole
	return whole
}
