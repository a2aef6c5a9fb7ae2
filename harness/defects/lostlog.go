package defects

import (
	"errors"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/durable"
)

func lostLog() []Defect {
	const kind, about = "lost log", "suite:lost-log"
	return []Defect{
		{
			Name: "takes-a-lost-log-for-an-empty-one", Kind: kind, About: about,
			Text: "a node that has lost its log starts as a new node",
			seams: func(life embedded.Life) embedded.Seams {
				if hasLost(life.Disk) {
					_ = life.Disk.Wipe()
				}
				return embedded.Seams{}
			}},
		inStores("reads-before-replay", kind,
			"after a restart, a node serves reads before it has replayed its log", about,
			func(s embedded.Stores) embedded.Stores {
				s.Commits = nil
				return s
			}),
	}
}

// hasLost reports whether the disk has lost data that was synced. It does not change an empty disk.
func hasLost(d *disk.Disk) bool {
	fs, err := d.Open()
	if err != nil {
		return false
	}
	defer fs.Close()
	if names, err := fs.List("."); err != nil || len(names) == 0 {
		return false
	}
	kept, err := durable.Open(fs, hclog.NewNullLogger(), func(error) {})
	if err == nil {
		_ = kept.Close()
	}
	var lost *durable.LostError
	return errors.As(err, &lost)
}
