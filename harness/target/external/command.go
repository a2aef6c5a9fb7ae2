package external

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"text/template"
	"time"

	"github.com/rejoin-db/rejoin/harness/target/described"
)

// command is a command line, each of its words a template.
type command struct {
	name  string
	words []*template.Template
	limit time.Duration
}

func parseCommand(name, line string, limit time.Duration) (*command, error) {
	words, err := described.Words(line)
	if err != nil {
		return nil, fmt.Errorf("command %s: %w", name, err)
	}
	c := &command{name: name, limit: limit}
	for _, word := range words {
		t, err := described.Template(word, described.Encoding{})
		if err != nil {
			return nil, fmt.Errorf("command %s: %w", name, err)
		}
		c.words = append(c.words, t)
	}
	return c, nil
}

// shownOutput is how many bytes of a command's output an error shows.
const shownOutput = 2 << 10

// run runs the command, and returns what it wrote to standard output, at most that many bytes of its end. A command that
// leaves a program running in the background is done when it has ended itself. When ctx ends or the command takes
// longer than its limit, it is killed with its children.
func (c *command) run(ctx context.Context, subject described.Subject, most int) (string, error) {
	var argv []string
	for _, word := range c.words {
		text, err := described.Render(word, subject)
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
		argv = append(argv, text)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.limit, fmt.Errorf("it took longer than %v", c.limit))
	defer cancel()
	// Files and not pipes: a program in the background may keep them, and nothing waits for it.
	out, err := scratch()
	if err != nil {
		return "", fmt.Errorf("%s: %w", c.name, err)
	}
	defer out.Close()
	said, err := scratch()
	if err != nil {
		return "", fmt.Errorf("%s: %w", c.name, err)
	}
	defer said.Close()
	run := exec.CommandContext(ctx, argv[0], argv[1:]...)
	run.Stdout, run.Stderr = out, said
	together(run)
	if err := run.Run(); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		return "", fmt.Errorf("%s (%s): %w%s%s", c.name, strings.Join(argv, " "), err, shown("output", out), shown("error output", said))
	}
	return tail(out, most)
}

// scratch is a file without a name.
func scratch() (*os.File, error) {
	f, err := os.CreateTemp("", "rejoin-command-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

func tail(f *os.File, most int) (string, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	text := make([]byte, min(size, int64(most)))
	_, err = f.ReadAt(text, size-int64(len(text)))
	return string(text), err
}

func shown(what string, f *os.File) string {
	text, err := tail(f, shownOutput)
	if text = strings.TrimSpace(text); err != nil || text == "" {
		return ""
	}
	return fmt.Sprintf("; its %s ends: %s", what, text)
}
