package live

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"

	"github.com/rejoin-db/rejoin/harness/report/page"
)

//go:embed assets
var assets embed.FS

// scripts are those of this page, after those of package page.
var scripts = []string{"talk.js", "nodes.js", "network.js", "rows.js", "loads.js", "journal.js", "live.js"}

// document returns the page. It loads nothing, and talks only to where it came from.
func document(o Options) ([]byte, error) {
	parts, err := page.ReadAssets()
	if err != nil {
		return nil, fmt.Errorf("make the live page: %w", err)
	}
	style, err := assets.ReadFile("assets/live.css")
	if err != nil {
		return nil, fmt.Errorf("make the live page: %w", err)
	}
	own := bytes.NewBufferString("{\n") // a block, so that names are not those of the other scripts
	for _, name := range scripts {
		text, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return nil, fmt.Errorf("make the live page: %w", err)
		}
		own.Write(text)
		own.WriteByte('\n')
	}
	html, err := template.ParseFS(assets, "assets/live.html")
	if err != nil {
		return nil, fmt.Errorf("make the live page: %w", err)
	}
	var b bytes.Buffer
	err = html.Execute(&b, map[string]any{
		"Title": "Rejoin, live", "Target": o.Target, "Style": template.CSS(parts.Style + string(style)),
		"Library": template.JS(parts.Library), "Script": template.JS(parts.Script + own.String() + "}\n"),
	})
	return b.Bytes(), err
}

func (p *Page) getPage(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "+
		"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
	_, _ = w.Write(p.html) // the browser may have gone
}
