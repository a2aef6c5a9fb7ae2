package dqlite_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// version is that of the libraries, as their packages for development say it (dqlite_version_number of libdqlite 1.11.1 says
// 1.10.0), and of the driver.
func version(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "pkg-config", "--modversion", "dqlite", "raft", "sqlite3").Output()
	libraries := strings.Fields(string(out))
	if err != nil || len(libraries) != 3 {
		return "", fmt.Errorf("ask pkg-config for the versions of dqlite, raft and sqlite3: %w: it said %q", err, out)
	}
	const module = "github.com/canonical/go-dqlite"
	driver, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("ask the go command for the version of %s: %w", module, err)
	}
	return fmt.Sprintf("%s (raft %s, SQLite %s, driver %s)", libraries[0], libraries[1], libraries[2],
		strings.TrimPrefix(strings.TrimSpace(string(driver)), "v")), nil
}
