package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
)

// schedule runs a schedule of cmd/chaos.
func (p *program) schedule(ctx context.Context, dir string) (played, error) {
	said, ended, err := p.run(ctx, p.settings.chaosArguments(dir), nil)
	if err != nil {
		return played{}, err
	}
	var exit *exec.ExitError
	if errors.As(ended, &exit) && exit.ExitCode() != bad {
		return played{}, fmt.Errorf("chaos did not run (%w): %s", ended, lines(said, -10))
	}
	return played{failed: ended != nil, said: lines(said, 60)}, nil
}

// chaosArguments returns the arguments of cmd/chaos.
func (s settings) chaosArguments(dir string) []string {
	args := []string{"-once", "-target", "virtual", "-seed", s.seed, "-journal", filepath.Join(dir, "schedule.jsonl")}
	if s.where {
		args = append(args, "-decisions", decisionsIn(dir))
	}
	if s.without != "" {
		args = append(args, "-without", s.without)
	}
	if s.interleave != 0 {
		args = append(args, fmt.Sprintf("-interleave=%d", s.interleave))
	}
	if s.yield != 0 {
		args = append(args, fmt.Sprintf("-yield=%v", s.yield))
	}
	if s.defect != "" {
		args = append(args, "-defect="+s.defect)
	}
	return args
}
