package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// The marks around the tables in a file.
const (
	beginMark = "<!-- findings:begin, written by make findings WRITE=1 -->\n"
	endMark   = "<!-- findings:end -->"
)

// tables formats rows in Markdown: what breaks a claim, what is expected, and what was not shown again.
func tables(rows []row) string {
	var broken, expected, missed []row
	for _, r := range rows {
		switch {
		case !r.Shown:
			missed = append(missed, r)
		case r.Expected:
			expected = append(expected, r)
		default:
			broken = append(broken, r)
		}
	}
	return table(broken, "%d that %s a claim of the makers", "breaks", "break") +
		table(expected, "%d that %s expected, because the makers document it as not promised", "is", "are") +
		table(missed, "%d that %s not shown again by the last run", "was", "were")
}

// table is one of the tables, under a line that counts its rows; nothing if there are none.
func table(rows []row, caption, one, many string) string {
	if len(rows) == 0 {
		return ""
	}
	verb := many
	if len(rows) == 1 {
		verb = one
	}
	var b strings.Builder
	fmt.Fprintf(&b, caption+":\n\n", len(rows), verb)
	b.WriteString("| database | setting | finding | layer | seen | upstream | ran |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s | %s | %s | %s |\n", cell(r.Database), cell(r.Version), cell(r.Setting), cell(r.Title),
			r.Layer, cell(r.Seen), link(r.Upstream), r.Date)
	}
	return b.String() + "\n"
}

// unavailable lists the modules that did not run.
func unavailable(outcomes []outcome) string {
	var b strings.Builder
	for _, o := range outcomes {
		switch {
		case o.broken != "":
			fmt.Fprintf(&b, "%s failed: %s\n", o.module, o.broken)
		case o.absent != "":
			fmt.Fprintf(&b, "%s did not run: %s\n", o.module, o.absent)
		}
	}
	return b.String()
}

// cell is a text as a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(text)
}

// link is an address as a link that shows its last two parts, as in issues/207.
func link(address string) string {
	if address == "" {
		return "none known"
	}
	parts := strings.Split(address, "/")
	last := parts[max(0, len(parts)-3):]
	last = slices.DeleteFunc(last, func(part string) bool { return part == "issues" || part == "pull" || part == "browse" })
	return fmt.Sprintf("[%s](%s)", strings.Join(last, " "), address)
}

// written is the content of a file with other tables between its marks.
func written(content string, rows []row) (string, error) {
	before, rest, begins := strings.Cut(content, beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return "", fmt.Errorf("there are no marks for the tables: %q and %q", strings.TrimSpace(beginMark), endMark)
	}
	return before + beginMark + "\n" + tables(rows) + endMark + after, nil
}

func writeTables(path string, rows []row) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := written(string(content), rows)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
