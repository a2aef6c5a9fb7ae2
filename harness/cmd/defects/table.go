package main

import (
	"fmt"
	"os"
	"strings"
)

// The marks around the table in a file.
const (
	beginMark = "<!-- defects:begin, written by make defects ALL=1 -->\n"
	endMark   = "<!-- defects:end -->"
)

// table formats the verdicts in Markdown.
func table(verdicts []verdict, all bool) string {
	var b strings.Builder
	b.WriteString("| kind | planted | | caught by | of the specs about it | for example | after |\n" +
		"| --- | --- | --- | --- | --- | --- | --- |\n")
	kind := ""
	for _, v := range verdicts {
		shown := ""
		if v.defect.Kind != kind {
			kind = v.defect.Kind
			shown = kind
		}
		best := v.best()
		by, after := cell(best.spec), fmt.Sprintf("%.1f s", best.after.Seconds())
		if v.trial.yield > 0 {
			by += fmt.Sprintf(", with `INTERLEAVE=%d YIELD=%v`", v.trial.interleave, v.trial.yield)
		}
		if !v.caught() {
			by, after = "**missed**", ""
		}
		caught := fmt.Sprintf("%d of %d specs", len(v.catches), v.specs)
		about := fmt.Sprintf("%d of %d: `%s`", v.about, v.of, cell(v.defect.About))
		if !all {
			caught, about = "up to the first", "`"+cell(v.defect.About)+"`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s | %s |\n", shown, v.defect.Name, cell(v.defect.Text), caught, about, by, after)
	}
	return b.String()
}

func cell(text string) string {
	text, _, _ = strings.Cut(text, " [") // labels
	return strings.ReplaceAll(text, "|", "\\|")
}

func writeTable(path string, verdicts []verdict, all bool) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(content), beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return fmt.Errorf("%s has no marks for the table: %q and %q", path, strings.TrimSpace(beginMark), endMark)
	}
	return os.WriteFile(path, []byte(before+beginMark+table(verdicts, all)+endMark+after), 0o644)
}
