package defects

import (
	"context"
	"net"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

func largeRows() []Defect {
	return []Defect{{
		Name: "no-time-for-large-appends", Kind: "catching up", About: "suite:large-rows",
		Text: "an AppendEntries call with more than 512 KiB of entries times out at every attempt",
		seams: func(embedded.Life) embedded.Seams {
			return embedded.Seams{Transport: func(t embedded.Transport) embedded.Transport { return hurried{t} }}
		},
	}}
}

// hurried is a transport on which large calls time out.
type hurried struct{ embedded.Transport }

const hurriedLimit = 512 << 10 // bytes

func (t hurried) AppendEntries(
	id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	size := 0
	for _, entry := range args.Entries {
		size += len(entry.Data)
	}
	if size > hurriedLimit {
		return &net.OpError{Op: "write", Net: "tcp", Err: context.DeadlineExceeded}
	}
	return t.Transport.AppendEntries(id, target, args, resp)
}
