package child

import (
	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
)

// useDisk is to become config.Disk = d.
func useDisk(*embedded.Config, *disk.Disk) {}
