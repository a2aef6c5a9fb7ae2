package hosts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrNoClock is the error of a clock that cannot be set. What wraps it says why.
var ErrNoClock = errors.New("the clock cannot be set")

// clock is a host's clock, which libfaketime shows to its programs.
type clock struct {
	file string // says how far the clock is ahead

	mu      sync.Mutex
	library string // of libfaketime; "" until the clock is set for the first time
	ahead   time.Duration
	running map[*Process]error // nil for a program that follows the clock, or why it does not
}

// SetClock sets the host's clock to differ from the true time, at once. Negative is behind. Timers and the monotonic clock are not
// affected, and neither are times of files. The clock stays wrong in a Kill and in a CutPower.
//
// A clock can be set for programs that were started after the first SetClock, which may be SetClock(ctx, 0): from then on,
// asking for the time takes some 30 us more on the host. They must use the C library glibc as a shared library. For Go
// programs, static programs and programs with another C library, SetClock and Start return an error that wraps ErrNoClock
// and names the program, unless ahead is 0. A program that is started by another one is not checked.
func (h *Host) SetClock(_ context.Context, ahead time.Duration) error {
	if err := h.clock.set(ahead); err != nil {
		return fmt.Errorf("set the clock of host %s: %w", h.name, err)
	}
	return nil
}

func (c *clock) set(ahead time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.library == "" {
		library, err := findFaketime()
		if err != nil {
			return err
		}
		c.library = library
	}
	for p, unaffected := range c.running {
		if unaffected != nil && ahead != 0 && !p.ended() {
			return unaffected
		}
	}
	if err := c.write(ahead); err != nil {
		return err
	}
	c.ahead = ahead
	return nil
}

// write replaces the file, so that programs read the old time or the new one.
func (c *clock) write(ahead time.Duration) error {
	temporary := c.file + ".new"
	if err := os.WriteFile(temporary, fmt.Appendf(nil, "%+.9f\n", ahead.Seconds()), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, c.file)
}

// environment returns the environment that shows the clock to a program, and nil or why the program does not follow it.
func (c *clock) environment(path string, env []string) (_ []string, unaffected, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.library == "" {
		return env, fmt.Errorf("%w for %s: it was started before the first SetClock on its host", ErrNoClock, path), nil
	}
	if err := usesLibc(path); err != nil {
		unaffected = fmt.Errorf("%w for %s: %w", ErrNoClock, path, err)
		if c.ahead != 0 {
			return nil, nil, unaffected
		}
		return env, unaffected, nil
	}
	const preload = "LD_PRELOAD="
	libraries := []string{c.library}
	env = slices.DeleteFunc(slices.Clone(env), func(variable string) bool {
		others, is := strings.CutPrefix(variable, preload)
		if is && others != "" {
			libraries = append(libraries, others)
		}
		return is
	})
	return append(env, preload+strings.Join(libraries, ":"),
		"FAKETIME_TIMESTAMP_FILE="+c.file, "FAKETIME_NO_CACHE=1", // each time, so that it changes at once
		"FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1", "FAKETIME_DONT_RESET=1"), nil, nil
}

// started notes a program that runs, and whether it follows the clock.
func (c *clock) started(p *Process, unaffected error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for known := range c.running {
		if known.ended() {
			delete(c.running, known)
		}
	}
	if c.running == nil {
		c.running = make(map[*Process]error)
	}
	c.running[p] = unaffected
}

// killed notes that no program is left.
func (c *clock) killed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.running)
}

// ended returns whether the program has ended.
func (p *Process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// faketimes are the places of libfaketime: on Debian and Ubuntu, Fedora, Arch, and where it is built from source.
var faketimes = []string{
	"/usr/lib/*-linux-gnu*/faketime/libfaketimeMT.so.1",
	"/usr/lib64/faketime/libfaketimeMT.so.1",
	"/usr/lib/faketime/libfaketimeMT.so.1",
	"/usr/local/lib/faketime/libfaketimeMT.so.1",
}

func findFaketime() (string, error) {
	for _, pattern := range faketimes {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("%w: this machine has no libfaketime: install the package faketime (libfaketime on some systems)", ErrNoClock)
}
