package defects

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

func reads() []Defect {
	const kind = "reads"
	return []Defect{
		strongAsLocal("deposed-leader-answers-strong", kind,
			"a former leader that knows no leader answers strong reads from its own state", "suite:reads",
			func(h embedded.Health) bool { return len(h.LedTerms) > 0 && h.Role != "leader" && h.Leader == "" }),
		strongAsLocal("follower-answers-strong", kind,
			"a follower answers strong reads from its own state", "suite:reads",
			func(h embedded.Health) bool { return h.Role == "follower" }),
		strongAsLocal("leader-answers-strong-alone", kind,
			"a leader answers strong reads without confirming its leadership", "suite:reads",
			func(h embedded.Health) bool { return h.Role == "leader" }),
		{
			Name: "answers-from-memory", Kind: kind, About: "suite:basics",
			Text: "a node repeats the answer to a read for a short time",
			seams: func(embedded.Life) embedded.Seams {
				m := &memory{answers: make(map[string]remembered)}
				return embedded.Seams{Handler: overSQL(m.serve)}
			}},
		inHandler("answers-are-cut-short", kind,
			"an answer is cut after 1000 rows and counts as complete", "suite:basics",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
				statements, err := sqltext.Split(asked.SQL)
				if err == nil && len(statements) == 1 && strings.HasPrefix(statements[0].Text, "SELECT") {
					asked.SQL = "SELECT * FROM (" + statements[0].Text + ") LIMIT 1000"
					r = asking(r, asked)
				}
				inner.ServeHTTP(w, r)
			}),
		inMachine("half-a-transaction-is-read", kind,
			"a read can see the first statement of a transaction without the second", "suite:histories",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) (answers []any) {
					for _, log := range logs {
						answers = append(answers, inTwo(inner, log))
					}
					return answers
				}}
			}),
	}
}

func strongAsLocal(name, kind, text, about string, when func(embedded.Health) bool) Defect {
	return inHandler(name, kind, text, about, func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
		if asked.Consistency == wire.Strong && when(healthOf(r, inner)) {
			asked.Consistency = wire.Local
			r = asking(r, asked)
		}
		inner.ServeHTTP(w, r)
	})
}

// memory caches answers for a short time.
type memory struct {
	mu      sync.Mutex
	answers map[string]remembered
}

type remembered struct {
	answer *httptest.ResponseRecorder
	given  time.Time
}

// aMoment is the time for which an answer is cached.
const aMoment = 20 * time.Millisecond

func (m *memory) serve(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
	if changesData(asked) {
		inner.ServeHTTP(w, r)
		return
	}
	question := fmt.Sprint(asked)
	m.mu.Lock()
	known, is := m.answers[question]
	m.mu.Unlock()
	if is && time.Since(known.given) < aMoment {
		pass(w, known.answer)
		return
	}
	answer := httptest.NewRecorder()
	inner.ServeHTTP(answer, r)
	if answer.Code == http.StatusOK {
		m.mu.Lock()
		m.answers[question] = remembered{answer, time.Now()}
		m.mu.Unlock()
	}
	pass(w, answer)
}

// inTwo applies the two statements of a request separately.
func inTwo(inner raft.BatchingFSM, log *raft.Log) any {
	entry, is := entryOf(log)
	first, second, two := halvesOf(entry)
	if !is || !two {
		return inner.Apply(log)
	}
	first.ID = ""
	begun := inner.Apply(with(log, first)).(machine.Response)
	if begun.Err != nil {
		return begun
	}
	timer := time.NewTimer(2 * time.Millisecond)
	<-timer.C
	ended := inner.Apply(with(log, second)).(machine.Response)
	if ended.Err == nil {
		ended.Results = append(begun.Results, ended.Results...)
	}
	return ended
}

// halvesOf splits a request of two statements that change rows; two is false for any other request.
func halvesOf(entry machine.Entry) (first, second machine.Entry, two bool) {
	statements, err := sqltext.Split(entry.SQL)
	if err != nil || len(statements) != 2 || !statements[0].ChangesRows() || !statements[1].ChangesRows() {
		return first, second, false
	}
	params := 0
	for _, c := range statements[0].Text {
		if c == '?' {
			params++
		}
	}
	if params > len(entry.Params) {
		return first, second, false
	}
	first, second = entry, entry
	first.SQL, first.Params = statements[0].Text, entry.Params[:params]
	second.SQL, second.Params = statements[1].Text, entry.Params[params:]
	return first, second, true
}
