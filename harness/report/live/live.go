package live

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
)

// Options are about a page. Token is required.
type Options struct {
	Token  string // what requests must prove to know
	Target string // the name of the target, for people
}

// Page is the page of one cluster. It is safe for concurrent use. Close it before the cluster.
type Page struct {
	cluster *harness.Cluster
	options Options
	html    []byte
	handler http.Handler
	life    context.Context // of all that the page has begun: it outlasts the request that began it
	end     context.CancelFunc
	board   *board
	feed    *feed
	loads   *loads

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // begun while not closed
}

// New returns the page of a cluster. Its goroutine asks the nodes for their status while the page is looked at. Close must follow.
func New(c *harness.Cluster, o Options) (*Page, error) {
	if o.Token == "" {
		return nil, errors.New("a live page needs a token")
	}
	html, err := document(o)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	p := &Page{cluster: c, options: o, html: html, life: life, end: end, board: newBoard(), feed: newFeed(c.Journal()), loads: newLoads(c)}
	p.handler = guard(o.Token, p.routes())
	p.work.Go(p.watch)
	return p, nil
}

// ServeHTTP serves the page.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// Close ends what the page has begun, actions and workloads too, and blocks until all of it is over. Later requests are refused.
func (p *Page) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.end()
	p.work.Wait()
	p.loads.close()
}

func (p *Page) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.getPage)
	mux.HandleFunc("GET /state", p.getState)
	mux.HandleFunc("GET /trace", p.getTrace)
	mux.HandleFunc("POST /do", p.postDo)
	mux.HandleFunc("POST /sql", p.postSQL)
	mux.HandleFunc("POST /rows", p.postRows)
	mux.HandleFunc("POST /load", p.postLoad)
	mux.HandleFunc("POST /judge", p.postJudge)
	return mux
}

// begin begins work on the cluster that ends with the page, or after a time, and not with the request that asked for it: a fault
// that is half made would be left behind by a tab that is closed. It is false once the page is closed.
func (p *Page) begin(limit time.Duration) (ctx context.Context, done func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, false
	}
	p.work.Add(1)
	ctx, cancel := context.WithTimeout(p.life, limit)
	return ctx, func() { cancel(); p.work.Done() }, true
}

// beginFor is begin for work that also ends with its request.
func (p *Page) beginFor(r *http.Request, limit time.Duration) (ctx context.Context, done func(), ok bool) {
	ctx, over, ok := p.begin(limit)
	if !ok {
		return nil, nil, false
	}
	ctx, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(r.Context(), cancel)
	return ctx, func() { forget(); cancel(); over() }, true
}

// stopping answers a request that came after the end of the page.
func stopping(w http.ResponseWriter) {
	refuse(w, http.StatusServiceUnavailable, "the cluster is stopping")
}
