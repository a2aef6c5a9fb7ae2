// Package network connects the nodes of a test cluster and their clients. A test can cut, mend
// and slow down the links between them while they are in use.
//
// A [Network] has one [Host] for each node and each client. A host is an [Endpoint]: it listens
// and dials, and its user opens no other sockets. Between any two hosts there are two links, one
// in each direction, and every connection uses both:
//
//	client.DialContext ──> link client→n1 ──> n1.Listen    writes of the dialing side
//	                   <── link n1→client <──              writes of the listening side
//
// [Network.Cut] affects one link, so that a request can arrive while its response does not:
//
//	Drop    Silence. Data is held and delivered when the link is mended, and so are notices
//	        that a connection was closed or reset. Dials wait.
//	Refuse  Immediate errors: ECONNREFUSED for dials, ECONNRESET for existing connections.
//
// After Cut has returned, nothing written from then on arrives until the link is mended. Data
// that is held when its connection is closed is lost: over TCP the writer was told that it was
// not sent; in memory, and over TCP on a slow link, the reader sees a reset. A host can always
// reach itself.
//
// [Network.SetRule] sets all other properties of a link: latency, jitter, loss and bandwidth,
// also for existing connections. A message passes these stages in order:
//
//	Write ──> bandwidth, shared with the link's other messages ──> loss, latency, jitter
//	      ──> in order with the connection's other messages ──> Action ──> Read
//
// The end of a connection and the two halves of a handshake are messages without content. Random
// numbers depend on the seed, the link, the number of the connection and the number of the
// message only, not on the scheduling of goroutines. [Network.SetDelay] sets a delay of all
// links, [Network.ResetLink] cuts one message in half, [Network.Stats] returns counters of a
// link, and [Network.MendAll] removes all rules. fault.Partition and similar functions compute
// the links to cut.
//
// [Host.Crash] disconnects a host from everything, until [Host.Revive].
//
// There are two kinds of network with the same behaviour:
//
//   - [TCP] uses real sockets on 127.0.0.1. Only the dialing side is wrapped, which costs a few
//     atomic operations on an unimpaired link. A connection that is used while one of its links
//     is slow is routed through memory from then on. A write on a link that drops blocks until
//     the link is mended, unless its connection is routed through memory, whose window then holds
//     the data. A host keeps its port as long as the network exists, so a restarted node finds
//     its address free. Data that the kernel accepted before a cut, from a write in progress,
//     still arrives. Connections from outside the network are accepted, never cut, and must be
//     closed by the accepting node.
//   - [Memory] has no sockets and waits on channels and timers only. Created inside a
//     testing/synctest bubble it uses virtual time; otherwise real time. A write returns once its
//     data is in the window of its direction, as with a kernel's buffer.
//
// Over TCP a host may be a different process, see [Network.Remote] and [Network.Join], on a port
// that a [Reservation] holds while that process does not run. Each process has its own network.
// The rule of a link between two processes applies where the connection was dialed, so both
// networks should have the same rule.
//
// [Open] returns an endpoint for a stand-alone node: real TCP, no faults, and also a port that it
// keeps.
package network
