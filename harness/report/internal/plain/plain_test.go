package plain_test

import (
	"strings"
	"testing"

	"github.com/rejoin-db/rejoin/harness/report/internal/plain"
)

func TestText(t *testing.T) {
	if got := plain.Text("\x1b[38;5;9mred\x1b[0m\n"); got != "red\n" {
		t.Errorf("%q", got)
	}
}

func TestLine(t *testing.T) {
	long := strings.Repeat("a", 300)
	for message, want := range map[string]string{
		"": "", "it broke": "it broke", "Expected\n    <int>: 1\nto equal\n    <int>: 2": "Expected <int>: 1 to equal <int>: 2",
		"Unexpected error:\n    \x1b[1m<*errors.errorString | 0xc000>: \x1b[0m\n    no quorum\n    {s: \"no quorum\"}\noccurred": "" +
			`no quorum {s: "no quorum"} occurred`,
		long: long[:199] + "…",
	} {
		if got := plain.Line(message); got != want {
			t.Errorf("%q is %q, want %q", message, got, want)
		}
	}
}

func TestPath(t *testing.T) {
	for _, c := range [][3]string{
		{"/src", "/src/specs/a.go", "specs/a.go"}, {"/src", "/other/a.go", "/other/a.go"}, {"", "a.go", "a.go"}, {"", "/a.go", "/a.go"},
	} {
		if got := plain.Path(c[0], c[1]); got != c[2] {
			t.Errorf("%s below %q is %s", c[1], c[0], got)
		}
	}
}
