//go:build browser

package browser

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var write = flag.Bool("write", false, "write the picture of README.md: .github/live.png")

// TestLivePicture makes the picture that README.md opens with: a node is away, the data changes, links and a disk are slow.
func TestLivePicture(t *testing.T) {
	w, _ := playing(t, 1360, 1500)
	w.run(0, "CREATE NAMESPACE app; CREATE TABLE app.orders (id INTEGER PRIMARY KEY, item TEXT, state TEXT); "+
		"INSERT INTO app.orders (item, state) VALUES ('tea', 'new'), ('cups', 'new'), ('sugar', 'new'), ('spoons', 'new')")
	w.until(`document.querySelector('#rows .alike')?.textContent === 'All 3 nodes that answer have the same 4 rows.'`)
	for _, name := range []string{"register", "bank"} {
		value[bool](w, `(document.querySelector('[data-load="%s"]').click(), true)`, name)
		w.until(`document.querySelector('[data-load="%s"]').getAttribute('aria-checked') === 'true'`, name)
	}
	w.press("node 1/away/isolate")
	w.until(`document.querySelector('#node-1').dataset.mode === 'isolate'`)
	w.press("node 2/disk/Slow")
	value[bool](w, `(() => { const s = document.querySelectorAll('#network select'); s[0].value = '0'; s[1].value = '2'; s[0].onchange(); return true; })()`)
	w.press("link/Slow")
	w.run(0, "UPDATE app.orders SET state = 'paid' WHERE id IN (1, 3)")
	w.run(0, "INSERT INTO app.orders (item, state) VALUES ('milk', 'new') RETURNING *")
	w.until(`document.querySelector('#rows .differs')?.textContent === 'The nodes differ in 3 of 5 rows.'`)
	w.until(`[...document.querySelectorAll('.count.ok')].filter(c => Number(c.textContent.replaceAll(',', '')) > 40).length === 2`)
	w.until(`JSON.parse(document.getElementById('lanes').dataset.lanes).some(l => l[0].startsWith('disk'))`)
	value[bool](w, `(scrollTo(0, 0), document.activeElement.blur(), true)`)
	height := value[int64](w, `Math.ceil(document.getElementById('lanes').getBoundingClientRect().bottom) + 8`)
	w.do(chromedp.EmulateViewport(1360, height))
	w.drawn()
	picture, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	small, err := shrunk(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d before", len(small), len(picture))
	file := filepath.Join(root, "reports", "pictures", "live.png")
	if *write {
		file = filepath.Join(root, ".github", "live.png")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, small, 0o666); err != nil {
		t.Fatal(err)
	}
	w.picture("live-under-load")
	w.dark(true)
	w.picture("live-dark")
}
