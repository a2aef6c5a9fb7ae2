package embedded

import (
	"io"

	"github.com/hashicorp/raft"
)

// upToDate is a transport that answers for Raft when a snapshot arrives that is no
// newer than what the node has applied: it is installed already.
//
// Raft (seen in 1.8.0) would install it once more, and with it drop all of its log:
// also the entries after the snapshot, which it has told its leader are safe. It goes
// on counting them as its own, and panics when it comes to apply them. Such a snapshot
// comes from a leader's goroutine that replicated to a member which was removed and
// taken in again; it has the log's old end in mind.
type upToDate struct {
	Transport
	node     *Node
	incoming chan raft.RPC
}

// answerInstalled returns the transport with a goroutine of its own, which ends with
// the node.
func (n *Node) answerInstalled(inner Transport) Transport {
	t := &upToDate{Transport: inner, node: n, incoming: make(chan raft.RPC)}
	n.wg.Go(t.sort)
	return t
}

// Consumer is where Raft gets what the others send.
func (t *upToDate) Consumer() <-chan raft.RPC { return t.incoming }

func (t *upToDate) sort() {
	for {
		select {
		case rpc := <-t.Transport.Consumer():
			if t.installed(rpc) {
				continue
			}
			select {
			case t.incoming <- rpc:
			case <-t.node.ctx.Done():
				return
			}
		case <-t.node.ctx.Done():
			return
		}
	}
}

// installed answers for a snapshot that is installed already. That it is, is true for
// whoever asks, also for a leader of the past.
func (t *upToDate) installed(rpc raft.RPC) bool {
	request, is := rpc.Command.(*raft.InstallSnapshotRequest)
	if !is || request.LastLogIndex > t.node.storage.machine.Applied() {
		return false
	}
	_, err := io.Copy(io.Discard, rpc.Reader)
	rpc.Respond(&raft.InstallSnapshotResponse{RPCHeader: t.node.header(), Term: request.Term, Success: err == nil}, err)
	return true
}
