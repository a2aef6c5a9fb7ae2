package raftfix

import "github.com/hashicorp/raft"

// LoadAppends returns a transport that sends the log's entries with their data, and at most
// 1 MiB of it in one call.
func LoadAppends(inner Transport, log *LazyLog) Transport { return loadingTransport{inner, log} }

type loadingTransport struct {
	transport
	log *LazyLog
}

// AppendEntries sends as many of the entries as fit, and removes the others from args: Raft assumes
// that the entries in args were sent, and continues after them. It limits the commit index to the
// sent entries, because the follower's log may differ from the leader's after them.
func (t loadingTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) == 0 {
		return t.transport.AppendEntries(id, target, args, resp)
	}
	full, err := t.log.loaded(args.Entries, appendBytes)
	if err != nil {
		return err // Raft retries, and sends its snapshot if the log no longer contains the entry
	}
	if len(full) < len(args.Entries) {
		args.Entries = args.Entries[:len(full)]
		args.LeaderCommitIndex = min(args.LeaderCommitIndex, full[len(full)-1].Index)
	}
	request := *args
	request.Entries = full
	return t.transport.AppendEntries(id, target, &request, resp)
}
