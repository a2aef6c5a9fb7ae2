package defects

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

func writes() []Defect {
	const kind = "writes"
	return []Defect{
		inHandler("acknowledged-before-quorum", kind,
			"a leader acknowledges a change after a while without a quorum", "suite:minority",
			ackEarly),
		inHandler("acknowledged-though-failed", kind,
			"a change is acknowledged even if its statement fails", "suite:basics",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
				if !changesData(asked) {
					inner.ServeHTTP(w, r)
					return
				}
				answer := httptest.NewRecorder()
				inner.ServeHTTP(answer, r)
				if answer.Code >= 400 && answer.Code < 500 && strings.Contains(answer.Body.String(), "constraint failed") {
					succeed(w, asked)
					return
				}
				pass(w, answer)
			}),
		inMachine("retry-is-applied-twice", kind,
			"a retried change is applied again", "suite:retry",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				seen := make(map[string]bool)
				return rewriting(inner, func(log *raft.Log, entry machine.Entry) machine.Entry {
					if seen[entry.ID] {
						entry.ID = fmt.Sprintf("%s-again-%d", entry.ID, log.Index)
					}
					seen[entry.ID] = true
					return entry
				})
			}),
		inMachine("retry-is-answered-otherwise", kind,
			"a retried change is answered as if it had changed nothing", "suite:retry",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				seen := make(map[string]bool)
				return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
					answers := inner.ApplyBatch(logs)
					for i, log := range logs {
						entry, is := entryOf(log)
						if response, applied := answers[i].(machine.Response); is && applied && seen[entry.ID] {
							answers[i] = machine.Response{Results: make([]machine.Result, len(response.Results)), Err: response.Err}
						}
						seen[entry.ID] = is
					}
					return answers
				}}
			}),
		inMachine("drops-do-nothing", kind,
			"a dropped table stays", "suite:changes",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					if dropped.MatchString(entry.SQL) {
						entry.SQL = "SELECT 1"
					}
					return entry
				})
			}),
		inMachine("half-a-transaction-is-applied", kind,
			"if the second statement of a transaction fails, the first is kept", "suite:basics",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) (answers []any) {
					for _, log := range logs {
						answer := inner.Apply(log)
						entry, is := entryOf(log)
						if first, _, two := halvesOf(entry); is && two && answer.(machine.Response).Err != nil {
							first.ID = ""
							inner.Apply(with(log, first))
						}
						answers = append(answers, answer)
					}
					return answers
				}}
			}),
		inMachine("two-writers-lose-an-update", kind,
			"of two equal updates at the same time, only one is applied", "suite:concurrency || suite:histories",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return &coalescing{BatchingFSM: inner}
			}),
		inMachine("says-that-a-row-changed", kind,
			"a change that matches no row reports one changed row", "suite:basics",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
					answers := inner.ApplyBatch(logs)
					for _, answer := range answers {
						if response, is := answer.(machine.Response); is {
							for i, result := range response.Results {
								response.Results[i].Affected = max(result.Affected, 1)
							}
						}
					}
					return answers
				}}
			}),
		{
			Name: "unknown-reported-as-failed", Kind: kind, About: "suite:links",
			Text:   "a client is told that a change failed when its outcome is unknown",
			target: planted{client: func(n target.Node) target.SQL { return certain{n.Client()} }}.plant},
	}
}

var dropped = regexp.MustCompile(`(?i)^\s*DROP\s+TABLE\s`)

const impatience = 30 * time.Millisecond

// ackEarly answers with success if the node takes too long.
func ackEarly(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
	if !changesData(asked) || healthOf(r, inner).Role != "leader" {
		inner.ServeHTTP(w, r)
		return
	}
	answer, done := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(done)
		inner.ServeHTTP(answer, r.Clone(context.WithoutCancel(r.Context())))
	}()
	timer := time.NewTimer(impatience)
	defer timer.Stop()
	select {
	case <-done:
		pass(w, answer)
	case <-timer.C:
		succeed(w, asked)
	}
}

// coalescing applies an update that equals the one before it only once.
type coalescing struct {
	raft.BatchingFSM
	last   machine.Entry
	answer any
}

func (m *coalescing) Apply(log *raft.Log) any { return m.ApplyBatch([]*raft.Log{log})[0] }

func (m *coalescing) ApplyBatch(logs []*raft.Log) (answers []any) {
	for _, log := range logs {
		entry, is := entryOf(log)
		switch {
		case !is:
			answers = append(answers, m.BatchingFSM.Apply(log))
			continue
		case m.same(entry):
			m.BatchingFSM.Apply(without(log))
		default:
			m.answer = m.BatchingFSM.Apply(log)
		}
		m.last = entry
		answers = append(answers, m.answer)
	}
	return answers
}

func (m *coalescing) same(entry machine.Entry) bool {
	statements, err := sqltext.Split(entry.SQL)
	return err == nil && len(statements) == 1 && strings.HasPrefix(strings.TrimSpace(entry.SQL), "UPDATE") &&
		entry.SQL == m.last.SQL && reflect.DeepEqual(entry.Params, m.last.Params) && entry.Time-m.last.Time <= 5
}

// certain reports a change with an unknown outcome as not applied.
type certain struct{ target.SQL }

func (c certain) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	rows, err := c.SQL.Query(ctx, request)
	return rows, surely(err)
}

func surely(err error) error {
	if err == nil || target.OutcomeOf(err) != target.Unknown {
		return err
	}
	said := target.Error{Code: "FAILED", Message: err.Error()}
	if known, is := errors.AsType[*target.Error](err); is {
		said = *known
	}
	said.Outcome = target.NotApplied
	return &said
}
