package page

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed assets
var files embed.FS

// scripts are those that show a run, in the order in which they are put together. They define openPage of main.js, and start nothing.
var scripts = []string{
	"data.js", "view.js", "list.js", "lanes.js", "timeline.js", "input.js", "plots.js", "events.js", "verdicts.js", "cycle.js", "parts.js",
	"failure.js", "cluster.js", "messages.js", "compare.js", "detail.js", "main.js",
}

// Assets are what a page needs that shows a run in the same way, such as one that is under way. Its body has the elements of
// assets/page.html, and its own script calls openPage after Script. A page that shows one journal, as that of package live, calls
// timeline and eventsOf, and needs the elements #tip, #toast and #chosen only.
type Assets struct {
	Style   string // a style sheet
	Library string // a script: uPlot
	Script  string // a module, or the beginning of one
}

// ReadAssets returns the assets.
func ReadAssets() (Assets, error) {
	style, err := text("uplot/uPlot.min.css", "page.css")
	if err != nil {
		return Assets{}, err
	}
	library, err := text("uplot/uPlot.iife.min.js")
	if err != nil {
		return Assets{}, err
	}
	script, err := text(scripts...)
	return Assets{style, library, script}, err
}

// blob is data that the browser opens: gzip in base64, in a script element of its own.
type blob struct {
	ID   string
	Data template.HTML
}

// Write writes the page. It blocks on w.
func (c *Collection) Write(w io.Writer) error {
	run := c.Run()
	index, err := packed(run)
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	blobs := []blob{{"run", encoded(index)}}
	for _, s := range c.journals {
		blobs = append(blobs, blob{fmt.Sprintf("journal-%d", s.about.ID), encoded(s.packed)})
	}
	html, err := template.ParseFS(files, "assets/page.html")
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	assets, err := ReadAssets()
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	start, err := text("start.js")
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return html.Execute(w, map[string]any{ // all of it is ours; what the run said is in the blobs
		"Title": run.Title + ": " + run.Verdict, "Style": template.CSS(assets.Style), "Library": template.JS(assets.Library),
		"Script": template.JS(assets.Script + start), "Blobs": blobs,
	})
}

// packed is a value as JSON with gzip.
func packed(value any) ([]byte, error) {
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	if err := json.NewEncoder(zipped).Encode(value); err != nil {
		return nil, err
	}
	err := zipped.Close()
	return b.Bytes(), err
}

func encoded(data []byte) template.HTML {
	return template.HTML(base64.StdEncoding.EncodeToString(data))
}

// text joins files of assets.
func text(names ...string) (string, error) {
	var all strings.Builder
	for _, name := range names {
		content, err := files.ReadFile("assets/" + name)
		if err != nil {
			return "", err
		}
		all.Write(content)
		all.WriteByte('\n')
	}
	return all.String(), nil
}
