package defects

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// freshness are bugs of what a read must wait for.
func freshness() []Defect {
	const kind = "freshness"
	fresh := func(name, text string, seams func(embedded.Life) embedded.Seams) Defect {
		return Defect{Name: name, Kind: kind, Text: text, About: "suite:fresh", seams: seams}
	}
	return []Defect{
		fresh("waits-one-entry-short", "who waits for an entry is let go when the one before it is applied",
			inProgress(func(inner embedded.Progress, ctx context.Context, index uint64) error {
				return inner.WaitApplied(ctx, index-min(index, 1))
			})),
		fresh("waits-for-the-commit-only", "who waits until an entry is applied is let go when it is known to be committed", toldOfCommits),
		fresh("index-is-told-before-the-commit", "who waits for an entry is told that it is applied before it is committed to the database", toldEarly),
		fresh("trusts-its-lease-for-too-long", "a leader that a quorum has confirmed answers strong reads for two election timeouts without asking again",
			leased(func(embedded.Life) func() time.Time { return time.Now }, 2*suiteElection)),
		fresh("measures-its-lease-by-a-wrong-clock", "a leader measures by the clock that SQL sees how long it may trust its lease",
			leased(func(life embedded.Life) func() time.Time { return life.Now }, suiteElection/2)),
		fresh("leads-before-its-first-entry", "a new leader answers reads before it has applied an entry of its own term",
			inLeadership(func(inner embedded.Leadership) embedded.Leadership { return hasty{inner} })),
		fresh("counts-answers-to-earlier-calls", "a strong read that comes while a quorum is asked for another one is answered with that",
			inLeadership(func(inner embedded.Leadership) embedded.Leadership { return &joinedConfirms{Leadership: inner} })),
		inHandler("follower-goes-by-its-own-commit-index", kind,
			"a follower answers strong reads when it has applied what it knows itself to be committed", "suite:fresh", goByOwnCommit),
		inHandler("leader-reads-wait-for-nothing", kind,
			"a follower answers reads of what the leader has applied from its own state", "suite:fresh",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
				if asked.Consistency != wire.Strong && asked.Consistency != wire.Local && healthOf(r, inner).Role == "follower" {
					asked.Consistency = wire.Local
					r = asking(r, asked)
				}
				inner.ServeHTTP(w, r)
			}),
		fresh("acknowledges-before-it-applies", "a follower acknowledges a change that its leader has applied and it has not",
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
		fresh("notes-commits-after-it-has-shown-them", "a node notes what is committed, for its next life, one batch after it has applied that",
			func(embedded.Life) embedded.Seams {
				return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
					s.Commits = &lateCommits{Commits: s.Commits}
					return s
				}}
			}),
	}
}

// suiteElection is after how long a node of the suite stands for election, at least.
const suiteElection = 50 * time.Millisecond

// unwaiting is the key of a context in which nothing is waited for.
type unwaiting struct{}

// inProgress does something else than to wait.
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

// hasty is leadership that is settled from the beginning.
type hasty struct{ embedded.Leadership }

func (h hasty) Settle(ctx context.Context) (uint64, error) {
	if term := h.Leads(); term > 0 {
		return term, nil
	}
	return h.Leadership.Settle(ctx)
}

// leased has a leader that was confirmed count as confirmed for so long, by some clock.
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

// joinedConfirms asks one quorum at a time: who comes meanwhile has its answer, too.
type joinedConfirms struct {
	embedded.Leadership
	mu    sync.Mutex
	under *confirm // nil if no voter is asked
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

// toldOfCommits has who waits for an entry be told when it is noted as committed.
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

// goByOwnCommit answers when the node has applied what it knows to be committed.
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

// lateCommits notes each time what was to be noted the time before.
type lateCommits struct {
	embedded.Commits
	before uint64
}

func (c *lateCommits) Commit(index uint64) error {
	noted := c.before
	c.before = index
	return c.Commits.Commit(noted)
}
