package process

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/rejoin-db/rejoin/harness/internal/rundir"
)

// Build builds the nodes' program from Package with the go command, and returns its path. The caller must call remove. If
// this process is killed before, the next Build removes the program.
func Build(ctx context.Context) (binary string, remove func() error, err error) {
	dir, err := rundir.New("", "node-")
	if err != nil {
		return "", nil, fmt.Errorf("build the nodes' program: %w", err)
	}
	binary = filepath.Join(dir.Path(), "node")
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", binary, Package).CombinedOutput(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("build the nodes' program: %w: %s", err, said), dir.Remove())
	}
	return binary, dir.Remove, nil
}
