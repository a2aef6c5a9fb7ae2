// Package plain prepares what a report says for viewers that are no terminal.
package plain

import (
	"path/filepath"
	"regexp"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// Text is a text without the colours of a terminal.
func Text(text string) string { return escapes.ReplaceAllString(text, "") }

// Path is a path below root, relative to it and with slashes; any other path as it is. An empty root has nothing below it.
func Path(root, path string) string {
	if rel, err := filepath.Rel(root, path); root != "" && err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}
