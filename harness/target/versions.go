package target

import "context"

// Upgrader is a Cluster whose nodes can run several versions of the database.
type Upgrader interface {
	// Versions returns the versions that SetVersion accepts, oldest first. Nodes boot with the last.
	// It is always the same list, with one version at least, and does not block.
	Versions() []string
	// Version returns the version that a node runs, or will run when it starts. It does not block.
	Version(node int) (string, error)
	// SetVersion sets the version that a node which does not run starts with next.
	SetVersion(ctx context.Context, node int, version string) error
}
