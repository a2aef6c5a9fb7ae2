package target

import "context"

// Reusable is a Cluster that may serve another spec: see package lasting.
type Reusable interface {
	// Release ends the use of the cluster, as Close does. The caller has healed it, all of its nodes are online, and no request is
	// in progress. If the cluster can be used again, Release removes what users have made in it and keeps it for a later Boot.
	// Else it closes the cluster, and blocks until nothing of it is left. The error says why it is not kept, where that is not
	// planned, or what failed. After Close, or the second time, Release does nothing.
	Release(ctx context.Context) (kept bool, err error)
}
