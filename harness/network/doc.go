// Package network is everything the nodes of a test cluster and their clients may use to reach each
// other: the links between them, which a test cuts, mends and slows down while they are in use.
//
// A [Network] has one [Host] for every node and every client. A host is an [Endpoint]: it listens
// and it dials, and whoever is given one opens no other socket. Between any two hosts there are two
// links, one each way, and every connection uses both:
//
//	client.DialContext ──> link client→n1 ──> n1.Listen    what the dialing side writes
//	                   <── link n1→client <──              what the listening side answers
//
// [Network.Cut] acts on one link, so that a request can arrive whose answer does not:
//
//	Drop    silence. What is sent stays unsent, and goes on when the link is mended; so does the
//	        news that a connection was closed or reset. Connecting waits.
//	Refuse  an answer at once: ECONNREFUSED for who connects, ECONNRESET for who is connected.
//
// Once Cut has returned, nothing written from then on arrives until the link is mended. Bytes that
// are held when their connection is closed are gone: over TCP their writer was told that they did not
// go out, in memory, and over TCP on a link that is slow, their reader finds the connection reset. A
// host always reaches itself.
//
// [Network.SetRule] makes a link everything else it can be: late, unsteady, lossy, narrow. It goes
// for connections that exist, too. A message takes its way in this order:
//
//	Write ──> bandwidth, behind the link's other messages ──> loss, latency, jitter
//	      ──> behind the connection's other messages ──> Mode ──> Read
//
// The end of a connection, and the two halves of a handshake, are messages without content. Chance
// is drawn from the seed, the link, the number of the connection and the number of the message, and
// so does not depend on which goroutine ran first. [Network.SetDelay] is what all links have in
// common, [Network.ResetLink] cuts one message in half, [Network.Stats] tells what a link has done,
// and [Network.MendAll] takes back all rules. [Partition] and its like say which ways to cut.
//
// [Host.Crash] takes a host away, with all that its node still tries to do, until [Host.Revive].
//
// There are two kinds of network, which behave alike:
//
//   - [TCP] has real sockets on 127.0.0.1. Only the dialing side is wrapped, and on a link that is
//     sound that costs some atomic operations. A connection that is used while a link of it is
//     slow passes through memory from then on. A write over a link that drops waits until it is
//     mended, unless its connection passes through memory, whose window then holds it. A host holds
//     its port as long as the network lives, so a node finds its address free when it comes back.
//     What the kernel took before a cut, from a write that had begun, still arrives. What connects
//     from outside the network is served, never cut, and closed by whoever accepted it.
//   - [Memory] has no sockets and waits on channels and timers alone. Made inside a testing/synctest
//     bubble it lets virtual time pass; outside it works in real time. A write returns once its
//     bytes are in the window of its direction, as with a kernel's buffer.
//
// Over TCP a host may be another process, see [Network.Remote] and [Network.Join], at a port that a
// [Reservation] holds while that process does not run. Each process has a network of its own, and a
// link between two of them is ruled where it is dialed: by the same rule in both, to be sure.
//
// [Open] is an endpoint for a node that stands alone: real TCP, no faults, the same promise about
// its port.
package network
