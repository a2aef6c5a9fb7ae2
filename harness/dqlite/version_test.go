package dqlite_test

import (
	"context"
	"fmt"
	"os/exec"
	"runtime/debug"
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
	driver := "of an unknown version"
	if info, known := debug.ReadBuildInfo(); known {
		for _, m := range info.Deps {
			if m.Path == "github.com/canonical/go-dqlite" {
				driver = strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return fmt.Sprintf("%s (raft %s, SQLite %s, driver %s)", libraries[0], libraries[1], libraries[2], driver), nil
}
