package page

import (
	"os"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// source returns the lines around a place; none if the file is not here, such as for a report of another machine.
func source(at types.CodeLocation) []Line {
	const around = 4
	content, err := os.ReadFile(at.FileName)
	if err != nil || at.LineNumber < 1 {
		return nil
	}
	var lines []Line
	for i, text := range strings.Split(string(content), "\n") {
		if number := i + 1; number >= at.LineNumber-around && number <= at.LineNumber+around {
			lines = append(lines, Line{Number: number, Text: strings.ReplaceAll(text, "\t", "    "), Here: number == at.LineNumber})
		}
	}
	return lines
}
