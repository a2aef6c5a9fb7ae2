package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/onsi/gomega/gmeasure"
)

// Figure is one measured quantity.
type Figure struct {
	What string `json:"what"`
	// Reach is the goal, in words; empty is none.
	Reach string `json:"reach,omitempty"`
	// Unit is that of the values: ms, MiB, times or a second.
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Tries  int     `json:"tries"`
}

// Of returns the figure of the measurement of that name. Durations are in ms, whatever the unit says.
func Of(e *gmeasure.Experiment, name, reach, unit string) Figure {
	m := e.Get(name)
	stats := e.GetStats(name)
	f := Figure{What: name, Reach: reach, Unit: unit, Tries: len(m.Values) + len(m.Durations)}
	of := stats.FloatFor
	if len(m.Durations) > 0 {
		of = func(s gmeasure.Stat) float64 { return float64(stats.DurationFor(s).Nanoseconds()) / 1e6 }
	}
	f.Median, f.Min, f.Max = of(gmeasure.StatMedian), of(gmeasure.StatMin), of(gmeasure.StatMax)
	return f
}

// Table has a line for each figure.
func Table(figures []Figure) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nwhat\treach\tmedian\tmin\tmax\ttries\t")
	for _, f := range figures {
		fmt.Fprintf(w, "%s\t%s\t%.3g %s\t%.3g\t%.3g\t%d\t\n", f.What, f.Reach, f.Median, f.Unit, f.Min, f.Max, f.Tries)
	}
	_ = w.Flush() // a strings.Builder takes all
	return b.String()
}

// Write writes figures as JSON, and makes the folder of the file if there is none.
func Write(path string, figures []Figure) error {
	content, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	return os.WriteFile(path, append(content, '\n'), 0o644)
}
