package target

import (
	"errors"
	"fmt"
)

// ErrOneCluster is wrapped by the error of Boot where the target has one cluster, which is in use. What needs two is skipped.
var ErrOneCluster = errors.New("the target has one cluster, which is in use")

// SizeError is the error of Boot, or is wrapped by it, where the cluster exists already and has another size. Specs that
// want the other size skip themselves.
type SizeError struct{ Asked, Has int }

func (e *SizeError) Error() string {
	return fmt.Sprintf("the target has a cluster of %d nodes, and cannot make one of %d", e.Has, e.Asked)
}
