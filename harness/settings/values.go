package settings

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/onsi/ginkgo/v2/types"
)

// units are binary only, because MB is ambiguous. The largest comes first: showSize uses the largest unit that
// divides the size.
var units = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

func parseWhole(text string, least, most int64) (int64, string) {
	value, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, named(text) + " is out of range"
	case err != nil:
		return 0, quote(text) + " is not a whole number"
	case value < least || value > most:
		return 0, named(text) + " is out of range"
	}
	return value, ""
}

// parseChance accepts only digits and a point, and rejects other forms that strconv accepts, for example NaN or
// 0x1p-2.
func parseChance(text string) (float64, string) {
	value, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || strings.Trim(text, "-.0123456789") != "":
		return 0, quote(text) + " is not a number"
	case value < 0 || value > 1:
		return 0, named(text) + " is out of range"
	case value == 0: // and not -0
		return 0, ""
	}
	return value, ""
}

func parseSize(text string, least, most int64) (int64, string) {
	number, scale := text, int64(1)
	for _, unit := range units {
		if rest, found := strings.CutSuffix(text, unit.suffix); found {
			number, scale = rest, unit.bytes
			break
		}
	}
	count, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, quote(text) + " is not a size"
	// Compare before multiplying: the product may overflow.
	case err != nil || count < 0 || count > most/scale || count*scale < least:
		return 0, named(text) + " is out of range"
	}
	return count * scale, ""
}

func showSize(bytes int64) string {
	for _, unit := range units {
		if bytes > 0 && bytes%unit.bytes == 0 {
			return fmt.Sprintf("%d%s", bytes/unit.bytes, unit.suffix)
		}
	}
	return strconv.FormatInt(bytes, 10)
}

// showDuration formats without zero units: 10m, not 10m0s.
func showDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func fileProblem(text string) string {
	if text != "" && os.IsPathSeparator(text[len(text)-1]) {
		return quote(text) + " is a folder, not a file"
	}
	return ""
}

func pageProblem(text string) string {
	if text == "" {
		return "no file given"
	}
	return fileProblem(text)
}

func folderProblem(text string) string {
	if text == "" {
		return "no folder given"
	}
	return ""
}

func anyText(string) string { return "" }

func labelProblem(text string) string {
	if text == "" {
		return ""
	}
	if _, err := types.ParseLabelFilter(text); err != nil {
		// Ginkgo repeats the query in colour and gives the reason in the last line.
		reason := strings.TrimSpace(err.Error())
		var told types.GinkgoError
		if errors.As(err, &told) {
			reason = told.Message
		}
		return fmt.Sprintf("%s is not a label query: %s", quote(text), reason[strings.LastIndexByte(reason, '\n')+1:])
	}
	return ""
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789.") == ""
}

// named returns a text that looks like a name as it is, and quotes any other.
func named(text string) string {
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.<>!*&", r) {
			return quote(text)
		}
	}
	if text == "" || len(text) > 60 {
		return quote(text)
	}
	return text
}

// quote quotes the text, cut after 60 characters.
func quote(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strconv.Quote(text)
}
