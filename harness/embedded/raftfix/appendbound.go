package raftfix

import "github.com/hashicorp/raft"

// LoadAppends returns a transport that sends the log's entries with their data, and at most
// 1 MiB of it in one call.
func LoadAppends(inner Transport, log *LazyLog) Transport { return loadingTransport{inner, log} }

type loadingTransport struct {
	transport
	log *LazyLog
}

// AppendEntries sends the first of the entries and removes the others from args: Raft takes
// what is in there for what was sent, and continues after it. No commit is reported beyond
// them, since what a follower has there need not be the leader's.
func (t loadingTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) == 0 {
		return t.transport.AppendEntries(id, target, args, resp)
	}
	full, err := t.log.loaded(args.Entries, appendBytes)
	if err != nil {
		return err // Raft looks again, and sends its snapshot if the log does not reach back
	}
	if len(full) < len(args.Entries) {
		args.Entries = args.Entries[:len(full)]
		args.LeaderCommitIndex = min(args.LeaderCommitIndex, full[len(full)-1].Index)
	}
	request := *args
	request.Entries = full
	return t.transport.AppendEntries(id, target, &request, resp)
}
