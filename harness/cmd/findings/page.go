package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/report/page"
)

// pageOf makes a page of what was seen: the findings that ran, and after them those of the record that did not.
func pageOf(outcomes []outcome, record []row, began time.Time) *page.Collection {
	shown, missed := 0, 0
	c := &page.Collection{Kind: "findings", Title: "Findings", Began: began}
	var modules []string
	var ran []row
	for _, o := range outcomes {
		modules = append(modules, o.module)
		ran = append(ran, o.rows...)
		c.Failed = c.Failed || o.missed()
	}
	for _, r := range ran {
		if r.Shown {
			shown++
		} else {
			missed++
		}
	}
	c.Verdict = fmt.Sprintf("%d shown again, %d not", shown, missed)
	c.Facts = []page.Fact{{Name: "target", Value: strings.Join(modules, ", ")},
		{Name: "real time", Value: time.Since(began).Round(time.Second).String()}}
	if text := unavailable(outcomes); text != "" {
		c.AddPart(page.Part{Title: "What did not run", Texts: strings.Split(strings.TrimSpace(text), "\n")})
	}
	c.AddPart(findingsPart("Seen in this run", ran))
	var others []row
	for _, r := range record {
		in := false
		for _, other := range ran {
			in = in || r.same(other)
		}
		if !in {
			others = append(others, r)
		}
	}
	if len(others) > 0 {
		c.AddPart(findingsPart("From earlier runs", others))
	}
	for _, r := range ran {
		c.AddPart(page.Part{Title: r.Database + ": " + r.Title, Texts: []string{"Seen: " + r.Seen, "Claim: " + r.Claim,
			"Layer: " + string(r.Layer) + ". Setting: " + r.Setting + ". Histories: " + strings.Join(r.History, ", ")},
			Code: strings.Join(append(r.Schedule, r.Command), "\n")})
	}
	return c
}

func findingsPart(title string, rows []row) page.Part {
	p := page.Part{Title: title, Columns: []string{"database", "finding", "verdict", "layer", "seen", "upstream", "ran"}}
	for _, r := range rows {
		verdict := page.Cell{Text: "breaks a claim of the makers", Is: "failed"}
		switch {
		case !r.Shown:
			verdict = page.Cell{Text: "not shown again", Is: "unknown"}
		case r.Expected:
			verdict = page.Cell{Text: "expected: not promised", Is: "soft"}
		}
		upstream := r.Upstream
		if upstream == "" {
			upstream = "none known"
		}
		p.Rows = append(p.Rows, []page.Cell{{Text: r.Database + " " + r.Version}, {Text: r.Title}, verdict, {Text: string(r.Layer)},
			{Text: words(r.Seen)}, {Text: upstream, Is: "soft"}, {Text: r.Date}})
	}
	return p
}
