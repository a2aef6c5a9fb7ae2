package github_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/report/github"
	"github.com/rejoin-db/rejoin/harness/report/junit"
)

func reports() []types.Report {
	spec := func(state types.SpecState, text, message string) types.SpecReport {
		return types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: text, State: state, Failure: types.Failure{
			Message: message, Location: types.CodeLocation{FileName: "/src/specs/links.go", LineNumber: 7},
		}}
	}
	flaky := spec(types.SpecStatePassed, "is flaky", "")
	flaky.MaxFlakeAttempts, flaky.NumAttempts = 3, 2
	slow := spec(types.SpecStateTimedout, "is slow", "A spec timeout occurred")
	slow.ReportEntries = types.ReportEntries{{Name: junit.AgainEntry, Value: types.WrapEntryValue("make replay SEED=1\n# or so")}}
	return []types.Report{{SuiteDescription: "Rejoin", RunTime: 1234 * time.Millisecond, SpecReports: types.SpecReports{
		spec(types.SpecStatePassed, "heals", ""), flaky,
		spec(types.SpecStateFailed, "a link, cut: heals", "\x1b[31mExpected\x1b[0m\n50% | more"),
		slow,
		spec(types.SpecStateSkipped, "skews", "the target cannot skew clocks"),
		spec(types.SpecStateSkipped, "skews more", "the target cannot skew clocks"),
		spec(types.SpecStateSkipped, "filtered", ""),
	}}}
}

func TestAnnotate(t *testing.T) {
	var b strings.Builder
	if err := github.Annotate(&b, reports(), "/src"); err != nil {
		t.Fatal(err)
	}
	const want = "::error file=specs/links.go,line=7,title=a link%2C cut%3A heals::Expected%0A50%25 | more\n" +
		"::error file=specs/links.go,line=7,title=is slow::A spec timeout occurred\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestSummarize(t *testing.T) {
	var b strings.Builder
	if err := github.Summarize(&b, reports()); err != nil {
		t.Fatal(err)
	}
	const want = `| suite | passed | failed | skipped | time |
| --- | --- | --- | --- | --- |
| Rejoin **failed** | 2 | 2 | 3 | 1.2s |

### Failed

- a link, cut: heals: Expected 50% \| more
- is slow: A spec timeout occurred

  ~~~
  make replay SEED=1
  # or so
  ~~~

### Failed at first

- is flaky: passed in attempt 2

### Skipped

| specs | because |
| --- | --- |
| 2 | the target cannot skew clocks |
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
