package hosts

import (
	"context"
	"errors"
	"os"
	"time"
)

// Supported returns nil, or an error: one sentence that says why hosts cannot be made on this machine, and the remedy. It makes
// a host to find out, which takes some 10 ms.
func Supported() error {
	n, err := New(Options{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err = n.Host(ctx, "probe")
	if closing := n.Close(); err == nil {
		err = closing
	}
	var missing *unsupportedError
	if errors.As(err, &missing) {
		return missing
	}
	return err
}

// system returns an error where the operating system has no hosts.
func system() error { return nil }

// explain says what the system does not allow, if that is why a host could not be made.
func explain(err error) error { return because(err, os.DirFS("/")) }
