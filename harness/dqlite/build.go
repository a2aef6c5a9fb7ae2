package dqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
)

// program is the package of the nodes' program.
const program = "github.com/rejoin-db/rejoin/harness/dqlite/node"

// ErrMissing is the error of Build on a machine without dqlite.
var ErrMissing = errors.New("the nodes of dqlite cannot be built without it: apt-get install libdqlite-dev libraft-dev libsqlite3-dev")

// Build builds the nodes' program with the go command and a C compiler, and returns its path. The caller must call remove. It
// returns ErrMissing, or the sentence of hosts.Supported, on a machine that cannot run nodes.
func Build(ctx context.Context) (binary string, remove func() error, err error) {
	if err := hosts.Supported(); err != nil {
		return "", nil, err
	}
	dir, err := rundir.New("", "dqlite-")
	if err != nil {
		return "", nil, fmt.Errorf("build the nodes' program: %w", err)
	}
	binary = filepath.Join(dir.Path(), "node")
	build := exec.CommandContext(ctx, "go", "build", "-tags", "libsqlite3", "-o", binary, program)
	build.Env = append(os.Environ(), "CGO_ENABLED=1", "CGO_LDFLAGS_ALLOW=-Wl,-z,now")
	if said, err := build.CombinedOutput(); err != nil {
		if strings.Contains(string(said), "No such file") || strings.Contains(string(said), "cannot find -l") {
			return "", nil, errors.Join(ErrMissing, dir.Remove())
		}
		return "", nil, errors.Join(fmt.Errorf("build the nodes' program: %w: %s", err, said), dir.Remove())
	}
	return binary, dir.Remove, nil
}
