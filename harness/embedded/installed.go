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
	node *Node
}

// answerInstalled returns the transport with a goroutine of its own, which ends with
// the node.
func (n *Node) answerInstalled(inner Transport) Transport {
	t := &upToDate{Transport: inner, node: n}
	n.wg.Go(t.sort)
	return t
}

// Consumer is where Raft gets what the others send.
func (t *upToDate) Consumer() <-chan raft.RPC { return t.node.incoming }

func (t *upToDate) sort() {
	for {
		select {
		case rpc := <-t.Transport.Consumer():
			if t.installed(rpc) {
				continue
			}
			t.node.deliver(rpc)
		case <-t.node.ctx.Done():
			return
		}
	}
}

// deliver hands a call to Raft's main loop. It blocks until that has taken it, or the
// node ends.
func (n *Node) deliver(rpc raft.RPC) {
	select {
	case n.incoming <- rpc:
	case <-n.ctx.Done():
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
