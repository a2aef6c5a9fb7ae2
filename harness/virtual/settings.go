package virtual

import (
	"io"

	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/settings"
)

// FromSettings returns the options for the settings. The nodes' log goes to log, with virtual times.
func FromSettings(s settings.Cluster, log io.Writer) Options {
	o := Options{Nodes: local.FromSettings(s, log), Latency: s.Latency, Jitter: s.Jitter}
	if o.Latency == 0 && o.Jitter == 0 {
		o.Latency = -1 // no latency; 0 would be the default
	}
	if s.Interleave != 0 || s.Yield > 0 {
		// Another order of goroutines matters only to those that are ready at one instant. A time
		// between two parts of a node would keep them apart.
		o.Handover = -1
	}
	return o
}
