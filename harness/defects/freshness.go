package defects

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// freshness are bugs in what a read waits for.
func freshness() []Defect {
	const kind = "freshness"
	fresh := func(name, text string, seams func(embedded.Life) embedded.Seams) Defect {
		return Defect{Name: name, Kind: kind, Text: text, About: "suite:fresh", seams: seams}
	}
	return []Defect{
		fresh("waits-one-entry-short", "a wait for an entry ends when the entry before it is applied",
			inProgress(func(inner embedded.Progress, ctx context.Context, index uint64) error {
				return inner.WaitApplied(ctx, index-min(index, 1))
			})),
		fresh("waits-for-the-commit-only", "a wait until an entry is applied ends when the entry is committed", toldOfCommits),
		fresh("index-is-told-before-the-commit", "a wait for an entry ends before the entry is committed to the database", toldEarly),
		fresh("trusts-its-lease-for-too-long",
			"a leader that a quorum has confirmed answers strong reads for two election timeouts without confirming again",
			leased(func(embedded.Life) func() time.Time { return time.Now }, 2*suiteElection)),
		fresh("measures-its-lease-by-a-wrong-clock", "a leader measures its lease with the clock that SQL uses, which can be set",
			leased(func(life embedded.Life) func() time.Time { return life.Now }, suiteElection/2)),
		fresh("leads-before-its-first-entry", "a new leader answers reads before it has applied an entry of its own term",
			inLeadership(func(inner embedded.Leadership) embedded.Leadership { return hasty{inner} })),
		fresh("counts-answers-to-earlier-calls", "a strong read that arrives during a quorum round for an earlier read uses that round",
			inLeadership(func(inner embedded.Leadership) embedded.Leadership { return &joinedConfirms{Leadership: inner} })),
		inHandler("follower-goes-by-its-own-commit-index", kind,
			"a follower answers strong reads at its own commit index instead of the leader's", "suite:fresh", goByOwnCommit),
		inHandler("leader-reads-wait-for-nothing", kind,
			"a follower answers reads at the leader's level from its own state", "suite:fresh",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
				if asked.Consistency != wire.Strong && asked.Consistency != wire.Local && healthOf(r, inner).Role == "follower" {
					asked.Consistency = wire.Local
					r = asking(r, asked)
				}
				inner.ServeHTTP(w, r)
			}),
		fresh("acknowledges-before-it-applies", "a follower acknowledges a change that only its leader has applied",
			func(embedded.Life) embedded.Seams {
				return embedded.Seams{
					Handler: overSQL(func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
						if changesData(asked) {
							r = r.WithContext(context.WithValue(r.Context(), unwaiting{}, true))
						}
						inner.ServeHTTP(w, r)
					}),
					Progress: func(inner embedded.Progress) embedded.Progress {
						return waiting{inner, func(ctx context.Context, index uint64) error {
							if ctx.Value(unwaiting{}) != nil {
								return nil
							}
							return inner.WaitApplied(ctx, index)
						}}
					},
				}
			}),
		fresh("notes-commits-after-it-has-shown-them", "a node stores its commit index one batch after it has applied those entries",
			func(embedded.Life) embedded.Seams {
				return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
					s.Commits = &lateCommits{Commits: s.Commits}
					return s
				}}
			}),
	}
}

// suiteElection is the minimum election timeout of the suite's nodes.
const suiteElection = 50 * time.Millisecond

// unwaiting is the key of a context in which WaitApplied does not wait.
type unwaiting struct{}

// inProgress replaces WaitApplied.
func inProgress(wait func(inner embedded.Progress, ctx context.Context, index uint64) error) func(embedded.Life) embedded.Seams {
	return func(embedded.Life) embedded.Seams {
		return embedded.Seams{Progress: func(inner embedded.Progress) embedded.Progress {
			return waiting{inner, func(ctx context.Context, index uint64) error { return wait(inner, ctx, index) }}
		}}
	}
}

type waiting struct {
	embedded.Progress
	wait func(ctx context.Context, index uint64) error
}

func (w waiting) WaitApplied(ctx context.Context, index uint64) error { return w.wait(ctx, index) }

func inLeadership(change func(embedded.Leadership) embedded.Leadership) func(embedded.Life) embedded.Seams {
	return func(embedded.Life) embedded.Seams { return embedded.Seams{Leadership: change} }
}

// hasty is leadership that counts as settled at once.
type hasty struct{ embedded.Leadership }

func (h hasty) Settle(ctx context.Context) (uint64, error) {
	if term := h.Leads(); term > 0 {
		return term, nil
	}
	return h.Leadership.Settle(ctx)
}

// leased makes a leader trust a confirmation for the time lasts, measured with clock.
func leased(clock func(embedded.Life) func() time.Time, lasts time.Duration) func(embedded.Life) embedded.Seams {
	return func(life embedded.Life) embedded.Seams {
		return embedded.Seams{Leadership: func(inner embedded.Leadership) embedded.Leadership {
			return &lease{Leadership: inner, now: clock(life), lasts: lasts}
		}}
	}
}

type lease struct {
	embedded.Leadership
	now   func() time.Time
	lasts time.Duration

	mu    sync.Mutex
	term  uint64
	since time.Time
}

func (l *lease) Confirm(ctx context.Context, term uint64) error {
	if l.holds(term) {
		return nil
	}
	err := l.Leadership.Confirm(ctx, term)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.term, l.since = term, l.now()
	}
	return err
}

func (l *lease) holds(term uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term == term && l.now().Sub(l.since) < l.lasts
}

// joinedConfirms runs one quorum round at a time: calls that arrive meanwhile share its result.
type joinedConfirms struct {
	embedded.Leadership
	mu    sync.Mutex
	under *confirm // round in progress; nil if there is none
}

type confirm struct {
	term uint64
	done chan struct{}
	err  error
}

func (j *joinedConfirms) Confirm(ctx context.Context, term uint64) error {
	j.mu.Lock()
	c := j.under
	if c != nil && c.term == term {
		j.mu.Unlock()
		select {
		case <-c.done:
			return c.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	c = &confirm{term: term, done: make(chan struct{})}
	j.under = c
	j.mu.Unlock()
	c.err = j.Leadership.Confirm(ctx, term)
	j.mu.Lock()
	if j.under == c {
		j.under = nil
	}
	j.mu.Unlock()
	close(c.done)
	return c.err
}

// toldOfCommits ends waits for an entry when it is stored as committed.
func toldOfCommits(embedded.Life) embedded.Seams {
	t := &told{}
	return embedded.Seams{
		Stores: func(s embedded.Stores) embedded.Stores {
			s.Commits = tellingCommits{s.Commits, t}
			return s
		},
		Progress: func(inner embedded.Progress) embedded.Progress { t.Progress = inner; return t },
	}
}

type tellingCommits struct {
	embedded.Commits
	told *told
}

func (c tellingCommits) Commit(index uint64) error {
	c.told.tell(index)
	return c.Commits.Commit(index)
}

// goByOwnCommit answers when the node has applied its own commit index.
func goByOwnCommit(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
	health := healthOf(r, inner)
	if asked.Consistency != wire.Strong || health.Role != "follower" || health.Leader == "" {
		inner.ServeHTTP(w, r)
		return
	}
	for aim := health.CommitIndex; health.AppliedIndex < aim && r.Context().Err() == nil; health = healthOf(r, inner) {
		timer := time.NewTimer(200 * time.Microsecond)
		<-timer.C
	}
	asked.Consistency = wire.Local
	inner.ServeHTTP(w, asking(r, asked))
}

// lateCommits stores the index of the call before.
type lateCommits struct {
	embedded.Commits
	before uint64
}

func (c *lateCommits) Commit(index uint64) error {
	noted := c.before
	c.before = index
	return c.Commits.Commit(noted)
}
