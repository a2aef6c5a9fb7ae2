//go:build browser

package browser

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

// playing opens the live page of a local cluster in a window of that size.
func playing(t *testing.T, width, height int64) (*tab, *harness.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	t.Cleanup(cancel)
	c, err := harness.Boot(ctx, local.New(local.Options{Token: "a token of the nodes", ElectionTimeout: time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	server, err := live.Listen(c, 0, live.Options{Token: "secret", Target: "local"})
	if err != nil {
		t.Fatal(err)
	}
	w := &tab{T: t, from: strings.TrimSuffix(server.URL(), "#token=secret")}
	w.ctx = browser(t, w.listen)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	w.visit(server.URL(), width, height)
	w.until(`document.documentElement.dataset.timeline !== undefined`)
	return w, c
}

// press clicks the button of that key.
func (w *tab) press(key string) {
	w.Helper()
	w.until(`(b => b && !b.disabled && b.offsetParent)(document.querySelector('[data-key="%s"]'))`, key)
	value[bool](w, `(document.querySelector('[data-key="%s"]').click(), true)`, key)
}

// run runs a statement in the box of a node, and waits for the answer.
func (w *tab) run(node int, sql string) {
	w.Helper()
	value[bool](w, `(e => { e.querySelector('.answer').replaceChildren(); e.querySelector('textarea').value = %q; e.querySelector('.sql .main').click(); return true; })(document.getElementById('node-%d'))`, sql, node)
	w.until(`document.querySelector('#node-%d .answer .took, #node-%d .answer .failed')`, node, node)
}

func (w *tab) answered(node int) string {
	return value[string](w, `document.querySelector('#node-%d .answer').innerText`, node)
}

// TestLiveNodeComesBack plays what the product is about: a node goes away, the data changes, the node comes back.
func TestLiveNodeComesBack(t *testing.T) {
	w, c := playing(t, 1400, 1000)
	if at := value[string](w, `location.href`); strings.Contains(at, "secret") {
		t.Error("the token is left in the address:", at)
	}
	w.run(0, "CREATE NAMESPACE app; CREATE TABLE app.t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO app.t (v) VALUES ('one'), (NULL)")
	w.until(`document.querySelector('#rows .alike')?.textContent === 'All 3 nodes that answer have the same 2 rows.'`)

	w.press("node 1/away/isolate")
	w.until(`document.querySelector('#node-1').dataset.mode === 'isolate'`)
	if online, err := c.IsNodeOnline(1); err != nil || online {
		t.Error("the flag of node 1:", online, err)
	}
	w.run(0, "INSERT INTO app.t (v) VALUES ('while it is away') RETURNING *")
	if said := w.answered(0); !strings.Contains(said, "while it is away") {
		t.Error("node 0 answers", said)
	}
	w.until(`document.querySelector('#rows .missing')`)
	w.until(`document.querySelector('#rows .differs')?.textContent === 'The nodes differ in 1 of 3 rows.'`)
	w.until(`Number(document.querySelector('#node-1 .late dd').textContent) > 0`)
	w.picture("live-away")

	w.press("node 1/back")
	w.until(`document.querySelector('#rows .alike')?.textContent === 'All 3 nodes that answer have the same 3 rows.'`)
	w.until(`document.querySelector('#node-1').dataset.health === 'online'`)
	w.press("compare")
	w.until(`/answer alike/.test(document.querySelector('#rows .said').textContent)`)
	var away time.Duration
	for _, e := range c.Journal().Events() {
		if e.Flag != nil {
			away = e.Took
		}
	}
	if away == 0 {
		t.Error("the journal has no flags")
	}
	lanes := value[string](w, `document.getElementById('lanes').dataset.lanes`)
	if !strings.Contains(lanes, "node 2") {
		t.Error("the timeline has the lanes", lanes)
	}
	w.picture("live-back")
}

// TestLivePhone opens the page on a phone: nothing is wider than the window, and a node is lost and comes back by touch.
func TestLivePhone(t *testing.T) {
	w, c := playing(t, 390, 844)
	w.run(0, "CREATE NAMESPACE app; CREATE TABLE app.t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO app.t (v) VALUES ('a text that is rather long for a phone')")
	w.until(`document.querySelector('#rows .alike')`)
	if wide := value[int](w, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %d wide on a phone of 390: %s", wide, value[string](w,
			`[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 391 && !e.closest('.scroll')).slice(0, 5).map(e => e.tagName + '.' + e.className).join(', ')`))
	}
	w.press("node 2/away/crash")
	w.until(`document.querySelector('#node-2').dataset.mode === 'crash'`)
	w.picture("live-phone")
	w.press("heal")
	w.until(`document.querySelector('#node-2').dataset.health === 'online'`)
	if len(c.OnlineNodes()) != 3 {
		t.Error("the nodes that are online:", c.OnlineNodes())
	}
}

// TestLiveKeyboard does without a pointer.
func TestLiveKeyboard(t *testing.T) {
	w, c := playing(t, 1400, 900)
	focus := func(selector string) { value[bool](w, `(document.querySelector(%q).focus(), true)`, selector) }
	focus("#node-1 textarea")
	value[bool](w, `(document.activeElement.value = '', true)`)
	w.do(chromedp.KeyEvent("SELECT 6 * 7 AS answer"), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	w.until(`/42/.test(document.querySelector('#node-1 .answer').innerText)`)
	focus(`[data-key="node 0/away/isolate"]`)
	w.do(chromedp.KeyEvent(" "))
	w.until(`document.querySelector('#node-0').dataset.mode === 'isolate'`)
	focus(`[data-load="counter"]`)
	w.do(chromedp.KeyEvent(kb.Enter))
	w.until(`Number(document.querySelector('[data-load="counter"]').closest('tr').querySelector('.ok').textContent) > 5`)
	focus("#network .place")
	w.do(chromedp.KeyEvent(kb.Enter))
	w.until(`document.activeElement.matches('#network .place')`) // it is drawn again, and keeps the focus
	if lost, _ := c.Lost(0); lost != "isolate" {
		t.Error("node 0 was lost by", lost)
	}
	value[bool](w, `(document.activeElement.blur(), true)`)
	w.do(chromedp.KeyEvent("/"))
	w.until(`document.activeElement.id === 'search'`)
}

// TestLiveJudges switches workloads on, makes a fault, and asks the judges. Then a row is changed behind their back.
func TestLiveJudges(t *testing.T) {
	w, c := playing(t, 1400, 1000)
	value[bool](w, `(document.querySelector('[data-load="set"]').click(), true)`)
	w.until(`Number(document.querySelector('[data-load="set"]').closest('tr').querySelector('.ok').textContent) > 20`)
	w.press("shape/leader")
	w.until(`document.querySelectorAll('#network .edge.cut').length === 4`)
	w.press("heal")
	w.until(`document.querySelectorAll('#network .edge.cut').length === 0`)
	value[bool](w, `(document.querySelector('[data-load="set"]').click(), true)`)
	w.until(`document.querySelector('[data-load="set"]').getAttribute('aria-checked') === 'false'`)
	judge := func() {
		w.until(`(b => !b.disabled)(document.querySelector('[data-key="judge"]'))`)
		value[bool](w, `(document.querySelector('#loads .verdict').replaceChildren(), document.querySelector('[data-key="judge"]').click(), true)`)
		w.until(`document.querySelector('#loads .verdict .badge')`)
	}
	judge()
	if broken := value[int](w, `document.querySelectorAll('#loads .badge.broken').length`); broken != 0 {
		t.Error(value[string](w, `document.querySelector('#loads .verdict').innerText`))
	}
	w.run(0, "DELETE FROM live_set.members")
	judge()
	w.until(`document.querySelector('#loads .badge.broken')`)
	w.pointAt("#journal")
	w.until(`JSON.parse(document.getElementById('lanes').dataset.lanes).some(l => l[0].startsWith('client'))`)
	w.until(`document.querySelector('#events .tools span').textContent === document.querySelector('#journal > .row .soft').textContent`)
	w.picture("live-judged")
	if len(c.Faults().Links) != 0 {
		t.Error("faults are left:", c.Faults().Lines())
	}
}
