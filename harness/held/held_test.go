package held_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rejoin-db/rejoin/harness/held"
)

func TestHeld(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("the system does not list the open files of a process")
	}
	before, err := held.Now()
	if err != nil {
		t.Fatal(err)
	}
	left := func() []string {
		t.Helper()
		now, err := held.Now()
		if err != nil {
			t.Fatal(err)
		}
		return now.Without(before)
	}
	expect := func(words ...string) {
		t.Helper()
		found := left()
		if len(found) != len(words) {
			t.Fatalf("held: %q; want %q", found, words)
		}
		for i, word := range words {
			if !strings.Contains(found[i], word) {
				t.Errorf("held: %q; want %q", found, words)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "a file")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	expect("open file " + path)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp4", listener.Addr().String()) // a connection is no leak
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), "sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	expect("child process", "listening ", "open file "+path)
	for _, end := range []func() error{file.Close, conn.Close, listener.Close, child.Process.Kill} {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child was killed, and ended well")
	}
	expect()
}
