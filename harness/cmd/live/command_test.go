//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runShell runs a script below live, without a terminal, and returns what it prints.
func runShell(t *testing.T, script string, color bool) (code int, out, problems string) {
	t.Helper()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var o, p bytes.Buffer
	c := command{args: []string{"sh", "-c", script}, dir: t.TempDir(), in: in, environ: append(os.Environ(), "LIVE_PROGRESS=/of/another")}
	code, err = c.show(&screen{out: &o, problems: &p, color: color}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return code, o.String(), p.String()
}

func TestOutputAndExitCodeAreThoseOfTheCommand(t *testing.T) {
	code, out, problems := runShell(t, `printf 'a\033[1m'; printf 'b\n' >&2; exit 3`, true)
	if code != 3 || out != "a\x1b[1m" || problems != "b\n" {
		t.Errorf("code %d, %q, %q", code, out, problems)
	}
	if code, _, _ := runShell(t, `kill -KILL $$`, true); code != 128+9 {
		t.Errorf("code %d of a command that was killed", code)
	}
}

func TestTheCommandKnowsWhetherColoursAreWanted(t *testing.T) {
	for color, want := range map[bool]string{true: "", false: "TRUE"} {
		t.Setenv("GINKGO_NO_COLOR", "")
		os.Unsetenv("GINKGO_NO_COLOR")
		if _, out, _ := runShell(t, `printf %s "$GINKGO_NO_COLOR"`, color); out != want {
			t.Errorf("%q, want %q", out, want)
		}
	}
}

// watched makes a file when a text was written.
type watched struct{ text, seen string }

func (w *watched) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		return len(p), os.WriteFile(w.seen, nil, 0o600)
	}
	return len(p), nil
}

func TestEventsOfTheCommandAreRead(t *testing.T) {
	dir := t.TempDir()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out := &watched{text: "0 of 2 specs", seen: filepath.Join(dir, "seen")}
	c := command{in: in, dir: dir, args: []string{"sh", "-c", `
		printf '{"kind":"begin","work":{"unit":"specs","all":2}}\n{"kind":"end","te' >>"$LIVE_PROGRESS"
		until [ -e seen ]; do sleep 0.01; done
		printf 'xt":"a","took_ns":1000000000}\n' >>"$LIVE_PROGRESS"`}}
	if code, err := c.show(&screen{out: out, width: func() int { return 60 }}, time.Now); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	if got := loadTimes(c.times())["specs"]["a"]; got != 1 {
		t.Errorf("a took %v s", got)
	}
}

func TestACommandThatIsNotThere(t *testing.T) {
	var out bytes.Buffer
	code, err := command{args: []string{"no such command"}}.show(&screen{out: &out, problems: &out}, time.Now)
	if code != notFound || err == nil {
		t.Errorf("code %d, %v", code, err)
	}
}
