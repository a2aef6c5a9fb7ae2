package plain_test

import (
	"testing"

	"github.com/rejoin-db/rejoin/harness/report/internal/plain"
)

func TestText(t *testing.T) {
	if got := plain.Text("\x1b[38;5;9mred\x1b[0m\n"); got != "red\n" {
		t.Errorf("%q", got)
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
