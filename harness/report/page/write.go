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

	"github.com/rejoin-db/rejoin/harness/journal"
)

//go:embed assets
var assets embed.FS

// scripts are those of the page, in the order in which they are put together.
var scripts = []string{
	"data.js", "view.js", "list.js", "lanes.js", "timeline.js", "input.js", "plots.js", "events.js", "verdicts.js", "detail.js", "main.js",
}

// blob is data that the browser opens: gzip in base64, in a script element of its own.
type blob struct {
	ID   string
	Data template.HTML
}

// Write writes the page. It blocks on w.
func (c *Collection) Write(w io.Writer) error {
	run := c.Run()
	index, err := packed(func(w io.Writer) error { return json.NewEncoder(w).Encode(run) })
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	blobs := []blob{{"run", index}}
	for _, s := range c.journals {
		data, err := packed(s.writeTrace)
		if err != nil {
			return fmt.Errorf("write page: %s: %w", s.path, err)
		}
		blobs = append(blobs, blob{fmt.Sprintf("journal-%d", s.about.ID), data})
	}
	html, err := template.ParseFS(assets, "assets/page.html")
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	style, err := text("uplot/uPlot.min.css", "page.css")
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	library, err := text("uplot/uPlot.iife.min.js")
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	script, err := text(scripts...)
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return html.Execute(w, map[string]any{ // all of it is ours; what the run said is in the blobs
		"Title": run.Title + ": " + run.Verdict, "Style": template.CSS(style), "Library": template.JS(library),
		"Script": template.JS(script), "Blobs": blobs,
	})
}

// writeTrace writes the trace as one line of JSON, and after it the journal as it was saved.
func (s *saved) writeTrace(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(s.trace); err != nil {
		return err
	}
	return journal.Save(w, s.header, s.events)
}

// packed returns what write writes, as gzip in base64.
func packed(write func(io.Writer) error) (template.HTML, error) {
	var b bytes.Buffer
	encoded := base64.NewEncoder(base64.StdEncoding, &b)
	zipped, err := gzip.NewWriterLevel(encoded, gzip.DefaultCompression)
	if err != nil {
		return "", err
	}
	if err := write(zipped); err != nil {
		return "", err
	}
	if err := zipped.Close(); err != nil {
		return "", err
	}
	if err := encoded.Close(); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil
}

// text joins files of assets.
func text(names ...string) (string, error) {
	var all strings.Builder
	for _, name := range names {
		content, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return "", err
		}
		all.Write(content)
		all.WriteByte('\n')
	}
	return all.String(), nil
}
