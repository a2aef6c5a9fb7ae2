//go:build browser

package browser

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

// root is the root of the repository.
const root = "../../.."

// longest limits a test, on a machine that is busy.
const longest = 4 * time.Minute

// tab is a page in a browser.
type tab struct {
	*testing.T
	ctx  context.Context
	file string
	from string // the beginning of the addresses that the page may ask for, besides its file

	mu       sync.Mutex
	problems []string // what the page has thrown, and what it has asked of the network
}

// browser starts Chromium, or skips the test.
func browser(t *testing.T, listen func(any)) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("Chromium is not installed, and the page is only tested in it. On Debian: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(time.Minute))
	ctx, stop := context.WithTimeout(t.Context(), longest)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx, chromedp.WithListener(listen))
	t.Cleanup(stop)
	return ctx
}

// opened writes the page of a collection and opens it in a window of that size.
func opened(t *testing.T, c *page.Collection, width, height int64, hash string) *tab {
	t.Helper()
	w := &tab{T: t, file: filepath.Join(t.TempDir(), "index.html")}
	w.ctx = browser(t, w.listen)
	var html bytes.Buffer
	if err := c.Write(&html); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.file, html.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.visit((&url.URL{Scheme: "file", Path: w.file}).String()+hash, width, height)
	return w
}

// visit opens an address in a window of that size. What the page throws fails the test at its end.
func (w *tab) visit(address string, width, height int64) {
	w.Helper()
	w.do(call(network.Enable, network.EnableParams{}), chromedp.EmulateViewport(width, height), chromedp.Navigate(address))
	w.until(`document.documentElement.dataset.ready !== undefined`)
	w.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, problem := range w.problems {
			w.Error(problem)
		}
	})
}

func (w *tab) listen(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.problems = append(w.problems, fmt.Sprintf("the page threw %+v", e.ExceptionDetails))
	case *network.EventRequestWillBeSent:
		at := e.Request.URL
		if !strings.HasPrefix(at, "file:") && !strings.HasPrefix(at, "data:") && (w.from == "" || !strings.HasPrefix(at, w.from)) {
			w.problems = append(w.problems, "the page asked the network for "+e.Request.URL)
		}
	}
}

// call is a command of the browser's protocol whose result does not matter.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

func (w *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	w.Helper()
	if err := chromedp.Do(w.ctx, actions...); err != nil {
		w.Fatal(err)
	}
}

// pointAt scrolls an element into view.
func (w *tab) pointAt(selector string) {
	w.Helper()
	value[bool](w, `(document.querySelector(%q).scrollIntoView(), true)`, selector)
	w.drawn()
}

// value evaluates an expression of JavaScript; promises are awaited.
func value[V any](w *tab, expression string, args ...any) V {
	w.Helper()
	if len(args) > 0 {
		expression = fmt.Sprintf(expression, args...)
	}
	v, err := chromedp.Run(w.ctx, chromedp.Evaluate[V](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// until waits until an expression is true.
func (w *tab) until(expression string, args ...any) {
	w.Helper()
	if len(args) > 0 {
		expression = fmt.Sprintf(expression, args...)
	}
	if err := chromedp.Do(w.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(time.Minute))); err != nil {
		w.Fatalf("wait until %s: %v", expression, err)
	}
}

// drawn waits until the page has drawn what was asked for.
func (w *tab) drawn() {
	w.Helper()
	value[bool](w, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

func (w *tab) dark(is bool) {
	scheme := "light"
	if is {
		scheme = "dark"
	}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	w.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}))
	w.drawn()
}

// picture keeps a picture of the whole page.
func (w *tab) picture(name string) {
	w.Helper()
	picture, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		w.Fatal(err)
	}
	folder := filepath.Join(root, "reports", "pictures")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o666); err != nil {
		w.Fatal(err)
	}
}

// collected are journals as a collection.
func collected(t *testing.T, journals ...[]journal.Event) *page.Collection {
	t.Helper()
	var c page.Collection
	for i, events := range journals {
		var saved bytes.Buffer
		if err := journal.Save(&saved, journal.HeaderOf(events), events); err != nil {
			t.Fatal(err)
		}
		if err := c.AddJournal(fmt.Sprintf("journal-%d.jsonl", i), &saved); err != nil {
			t.Fatal(err)
		}
	}
	return &c
}

// fixture is the journal of a run with faults.
func fixture(t *testing.T) []journal.Event {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "fixtures", "journals", "version-2.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	events, err := journal.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return events
}
