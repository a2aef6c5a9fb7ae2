package page

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/settings"
)

// again is the shell command that runs the suite again, or one spec if a text is given, in the folder of the suite. The settings are
// those in the first line of a journal.
func again(seed int64, text string, of map[string]string) string {
	var words, variables []string
	defaults := settings.Default().Cluster.Named()
	for name, value := range of {
		if own, known := defaults[name]; known && own != value && name != "cluster.log-level" {
			_, key, _ := strings.Cut(name, ".")
			variables = append(variables, "REJOIN_"+strings.ToUpper(strings.ReplaceAll(key, "-", "_"))+"="+quote(value))
		}
	}
	slices.Sort(variables)
	words = append(words, variables...)
	if of["cluster.target"] == "virtual" {
		words = append(words, "GODEBUG=asyncpreemptoff=1", "go run ./harness/cmd/exact")
	}
	words = append(words, "go tool ginkgo", "--seed="+strconv.FormatInt(seed, 10))
	if text != "" {
		words = append(words, "--focus="+quote("^"+regexp.QuoteMeta(text)+"$"))
	}
	return strings.Join(append(words, "."), " ")
}

// quote quotes a text as one word of a shell.
func quote(text string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_./,:@%+-]+$`).MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
