// Package plain prepares what a report says for viewers that are no terminal.
package plain

import (
	"path/filepath"
	"regexp"
	"strings"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// Text is a text without the colours of a terminal.
func Text(text string) string { return escapes.ReplaceAllString(text, "") }

// gomega begins the message of an error that was not expected: with words that are the same for all, and the type of the error.
var gomega = regexp.MustCompile(`^Unexpected error:\s*(<[^>]*>:)?`)

// Line is the message of a failure as one line without colours, of about 200 characters at most: what tells most is at its beginning.
func Line(message string) string {
	const most = 200
	text := strings.Join(strings.Fields(gomega.ReplaceAllString(strings.TrimSpace(Text(message)), "")), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// Path is a path below root, relative to it and with slashes; any other path as it is. An empty root has nothing below it.
func Path(root, path string) string {
	if rel, err := filepath.Rel(root, path); root != "" && err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}
