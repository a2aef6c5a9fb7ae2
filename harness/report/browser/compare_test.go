//go:build browser

package browser

import (
	"testing"

	"github.com/rejoin-db/rejoin/harness/report/internal/made"
)

// TestCompare shows two runs under one axis: the shorter one ends where its time is over.
func TestCompare(t *testing.T) {
	w := opened(t, collected(t, made.Journal("A made database runs", 5, 300), made.Journal("A made database runs again", 6, 900)), 1280, 1000, "#spec=0")
	w.until(`document.querySelector('select.compare option[value="0"]')`)
	before := value[string](w, `document.querySelector(".tools span.soft").textContent`)
	value[bool](w, `(() => { const s = document.querySelector('select.compare'); s.value = '0'; return s.dispatchEvent(new Event('change')); })()`)
	w.until(`document.querySelector('.other canvas')`)
	w.drawn()
	if got := value[string](w, `document.querySelector('.other h4').firstChild.textContent`); got != "A made database runs again" {
		t.Errorf("the other run is %q", got)
	}
	lanes, others := value[int](w, `JSON.parse(document.querySelector('#lanes').dataset.lanes).length`), value[int](w, `JSON.parse(document.querySelector('.other').dataset.lanes).length`)
	if lanes == 0 || others < lanes {
		t.Errorf("%d lanes, and %d of the other run", lanes, others)
	}
	if after := value[string](w, `document.querySelector(".tools span.soft").textContent`); after == before {
		t.Errorf("the axis is still of %s", after)
	}
	w.pointAt(".other")
	w.picture("compare")
	value[bool](w, `(() => { const s = document.querySelector('select.compare'); s.value = ''; return s.dispatchEvent(new Event('change')); })()`)
	w.until(`!document.querySelector('.other canvas')`)
}
