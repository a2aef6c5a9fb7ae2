package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/report/page"
)

// pageOf makes a page of the verdicts: those that were missed first, and then those that took longest to catch.
func pageOf(verdicts []verdict, missed int, o options, began time.Time) *page.Collection {
	c := &page.Collection{
		Kind: "defects", Title: "Planted bugs", Verdict: fmt.Sprintf("%d of %d caught", len(verdicts)-missed, len(verdicts)), Failed: missed > 0,
		Began: began, Facts: []page.Fact{{Name: "seed", Value: fmt.Sprint(o.seed)}, {Name: "target", Value: o.target},
			{Name: "real time", Value: time.Since(began).Round(time.Second).String()}},
	}
	sorted := slices.Clone(verdicts)
	slices.SortStableFunc(sorted, func(a, b verdict) int {
		switch {
		case a.caught() != b.caught() && b.caught():
			return -1
		case a.caught() != b.caught():
			return 1
		}
		return int(b.best().after - a.best().after)
	})
	slowest := time.Duration(1)
	for _, v := range sorted {
		if v.caught() {
			slowest = max(slowest, v.best().after)
		}
	}
	p := page.Part{Title: "What caught each bug", Columns: []string{"bug", "kind", "planted", "verdict", "caught by", "after", "it said"}}
	for _, v := range sorted {
		best, result := v.best(), page.Cell{Text: "caught", Is: "ok"}
		by, said := cell(best.spec), best.said
		after := page.Cell{Text: fmt.Sprintf("%.1f s", best.after.Seconds()), Bar: float64(best.after) / float64(slowest)}
		if !v.caught() {
			result, by, after, said = page.Cell{Text: "missed", Is: "failed"}, v.unasked, page.Cell{}, ""
		}
		p.Rows = append(p.Rows, []page.Cell{
			{Text: v.defect.Name}, {Text: v.defect.Kind, Is: "soft"}, {Text: v.defect.Text}, result, {Text: by}, after,
			{Text: said, Is: "soft"}})
	}
	c.AddPart(p)
	return c
}
