package defects

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/target"
)

// departures are bugs of a node that stops, and of one that has failed.
func departures() []Defect {
	const stops, fails = "stopping", "failing"
	return []Defect{
		{
			Name: "stop-cuts-answers", Kind: stops, About: "suite:leaving",
			Text: "a node that is stopped cuts off answers in transit",
			seams: inAllOf(func(inner http.Handler, w http.ResponseWriter, r *http.Request) {
				inner.ServeHTTP(&cutting{w, func() bool { return isLeaving(r, inner) }}, r)
			})},
		{
			Name: "stop-refuses-changes-under-way", Kind: stops, About: "suite:leaving",
			Text: "a change that completes while its node is leaving is answered as refused",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Handler: overSQL(func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
					if changesData(asked) {
						w = &refusing{w, func() bool { return isLeaving(r, inner) }}
					}
					inner.ServeHTTP(w, r)
				})}
			}},
		{
			Name: "stop-waits-for-ever", Kind: stops, About: "suite:leaving",
			Text: "an answer in transit when its node is stopped never ends",
			seams: inAllOf(func(inner http.Handler, w http.ResponseWriter, r *http.Request) {
				inner.ServeHTTP(w, r)
				if isLeaving(r, inner) {
					<-r.Context().Done()
				}
			})},
		inTransport("stops-without-handing-over", stops,
			"a leader that is stopped does not transfer its leadership", "suite:leaving",
			func(t embedded.Transport) embedded.Transport { return withoutSuccessor{t} }),
		atClose("stop-leaves-a-goroutine", stops, "a goroutine of a node outlives it by a moment",
			func(embedded.Life) {
				go func() {
					timer := time.NewTimer(100 * time.Millisecond)
					<-timer.C
				}()
			}),
		atClose("stop-leaves-a-file", stops, "a node that has stopped leaves a file of its directory open",
			func(life embedded.Life) {
				_, _ = syscall.Open(life.Dir+"/state", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			}),
		{
			Name: "failed-node-goes-on-talking", Kind: fails, About: "suite:failing",
			Text: "a node whose storage has failed keeps its connections to the others",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Silence: func(func()) func() { return func() {} }}
			}},
		{
			Name: "failing-disk-acknowledges", Kind: fails, About: "suite:failing",
			Text: "a node acknowledges to its leader entries that its disk could not store",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
					s.Log = deaf{s.Log}
					return s
				}}
			}},
		{
			Name: "failed-looks-connecting", Kind: fails, About: "suite:failing",
			Text: "a node that has failed reports that it is connecting, without a reason",
			target: planted{status: func(s target.Status) target.Status {
				if s.State == target.Failed {
					s.State, s.Reason = target.Connecting, ""
				}
				return s
			}}.plant},
		inHandler("failed-node-blames-the-cluster", fails,
			"a node that has failed answers its clients that there is no leader", "suite:failing",
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, _ wire.Request) {
				if healthOf(r, inner).State == embedded.Failed {
					refuse(w, http.StatusServiceUnavailable, embedded.CodeNoLeader, "no leader is known; nothing was changed")
					return
				}
				inner.ServeHTTP(w, r)
			}),
	}
}

// inAllOf wraps the handling of all requests for SQL.
func inAllOf(serve func(inner http.Handler, w http.ResponseWriter, r *http.Request)) func(embedded.Life) embedded.Seams {
	return func(embedded.Life) embedded.Seams {
		return embedded.Seams{Handler: overSQL(func(inner http.Handler, w http.ResponseWriter, r *http.Request, _ wire.Request) {
			serve(inner, w, r)
		})}
	}
}

// isLeaving reports whether the node behind the handler refuses requests because it is leaving.
func isLeaving(r *http.Request, inner http.Handler) bool {
	return healthOf(r.WithContext(context.WithoutCancel(r.Context())), inner).State == ""
}

// cutting is an answer that aborts when its node leaves.
type cutting struct {
	http.ResponseWriter
	leaving func() bool
}

func (c *cutting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cutting) Write(p []byte) (int, error) {
	if c.leaving() {
		panic(http.ErrAbortHandler)
	}
	return c.ResponseWriter.Write(p)
}

// refusing is an answer that turns into a refusal when its node leaves.
type refusing struct {
	http.ResponseWriter
	leaving func() bool
}

func (c *refusing) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *refusing) Write(p []byte) (int, error) {
	if c.leaving() {
		refuse(c.ResponseWriter, http.StatusServiceUnavailable, embedded.CodeStopping, "this node is leaving")
		panic(http.ErrAbortHandler)
	}
	return c.ResponseWriter.Write(p)
}

var errNoSuccessor = errors.New("planted: leadership is not transferred")

type withoutSuccessor struct{ embedded.Transport }

func (withoutSuccessor) TimeoutNow(
	raft.ServerID, raft.ServerAddress, *raft.TimeoutNowRequest, *raft.TimeoutNowResponse,
) error {
	return errNoSuccessor
}

// atClose is a bug that does something after a node has closed its stores.
func atClose(name, kind, text string, do func(embedded.Life)) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: "suite:leaving", seams: func(life embedded.Life) embedded.Seams {
		return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
			s.Closer = closer{s.Closer, func() { do(life) }}
			return s
		}}
	}}
}

type closer struct {
	io.Closer
	after func()
}

func (c closer) Close() error {
	defer c.after()
	return c.Closer.Close()
}

// deaf is a log that drops its errors.
type deaf struct{ raft.LogStore }

func (d deaf) StoreLog(log *raft.Log) error {
	_ = d.LogStore.StoreLog(log)
	return nil
}

func (d deaf) StoreLogs(logs []*raft.Log) error {
	_ = d.LogStore.StoreLogs(logs)
	return nil
}
