package runs

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"github.com/rejoin-db/rejoin/harness/report/page"
)

//go:embed list.html
var listHTML string

var listed = template.Must(template.New("list").Funcs(template.FuncMap{
	"when": func(r Run) string { return r.Began.UTC().Format("2006-01-02 15:04:05") },
	"size": func(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) },
	"what": func(r Run) string {
		if r.Kind == "" {
			return "suite"
		}
		return r.Kind
	},
}).Parse(listHTML))

// render writes the page that lists the runs.
func render(all []Run) ([]byte, error) {
	assets, err := page.ReadAssets()
	if err != nil {
		return nil, err
	}
	var html bytes.Buffer
	err = listed.Execute(&html, map[string]any{"Style": template.CSS(assets.Style), "Runs": all, "Most": Most, "Bytes": MostBytes >> 20})
	return html.Bytes(), err
}
