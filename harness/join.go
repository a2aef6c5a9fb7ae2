package harness

import (
	"errors"
	"slices"
)

// joinedError is several errors at once, as of errors.Join, with a short form for Gomega.
type joinedError struct{ errs []error }

// join is errors.Join, and returns a single error as it is.
func join(errs ...error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return &joinedError{errs}
}

func (e *joinedError) Error() string { return errors.Join(e.errs...).Error() }

func (e *joinedError) Unwrap() []error { return e.errs }
