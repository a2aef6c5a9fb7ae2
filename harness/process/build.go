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
	return build(ctx)
}

// BuildAs is Build for a program that reports another version than embedded.Version, for specs of several versions.
func BuildAs(ctx context.Context, version string) (binary string, remove func() error, err error) {
	return build(ctx, "-ldflags", "-X github.com/rejoin-db/rejoin/harness/embedded.stamp="+version)
}

func build(ctx context.Context, flags ...string) (binary string, remove func() error, err error) {
	dir, err := rundir.New("", "node-")
	if err != nil {
		return "", nil, fmt.Errorf("build the nodes' program: %w", err)
	}
	binary = filepath.Join(dir.Path(), "node")
	arguments := append([]string{"build", "-o", binary}, append(flags, Package)...)
	if said, err := exec.CommandContext(ctx, "go", arguments...).CombinedOutput(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("build the nodes' program: %w: %s", err, said), dir.Remove())
	}
	return binary, dir.Remove, nil
}
