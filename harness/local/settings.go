package local

import (
	"io"

	"github.com/rejoin-db/rejoin/harness/settings"
)

// FromSettings returns the options for the settings. The nodes' log goes to log.
func FromSettings(s settings.Cluster, log io.Writer) Options {
	trailing := int64(s.TrailingLogs)
	if trailing == 0 {
		trailing = -1 // none; 0 would be the default
	}
	return Options{
		ElectionTimeout:   s.ElectionTimeout,
		SnapshotThreshold: s.SnapshotThreshold,
		SnapshotInterval:  s.SnapshotInterval,
		TrailingLogs:      trailing,
		WriteTimeout:      s.WriteTimeout,
		MaxBody:           s.MaxBody,
		Log:               log,
		LogLevel:          s.LogLevel,
	}
}
