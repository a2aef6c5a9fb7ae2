// Package hosts runs any program on hosts that this process makes. Their links, disks, clocks and lives go bad from below: the
// program needs no change, and does not notice that it is tested.
//
// A [Host] is a machine for programs, made of Linux namespaces:
//
//	network     an IPv4 address that lasts, and names of all hosts of its [Network] in /etc/hosts
//	processes   a tree of its own, which is started, frozen, thawed and killed as a whole
//	disk        a folder, at the same path on the host and in this process
//	names       its host name is its name; System V shared memory and the like are its own too
//
// IPv6 works on a host's loopback device only. Everything else, such as the file system outside of its folder, the user and
// the time, is that of this process.
//
//	n.Host ── Start ──> Process                 any program; Log has what it writes
//	       ── DialContext, Listen               sockets of this process on the host
//	       ── Freeze, Thaw, Kill                all processes at once
//	       ── Crash, CutPower                   the same, and what was not synced is lost
//	       ── SetDisk, Damage, SetClock         what is wrong with its disk and its clock
//	n ── SetRule, ResetLink, Stats              the link from one host to another
//
// # Links
//
// All packets between hosts go through this process, which applies a fault.Rule to each direction of each pair, live. Hosts reach
// each other and nothing else. A packet passes these stages in order:
//
//	sent ──> bandwidth, shared with the link's other packets ──> loss ──> latency, jitter
//	     ──> in order with the packets of its connection, unless Reorder ──> Duplicate ──> Action ──> received
//
// Rules mean what they mean in package network, but for packets:
//
//   - Drop is silence. The last packets of each connection that were dropped arrive when the link passes packets again, as a
//     network may deliver late: TCP then goes on at once, and not when its next retransmission is due.
//   - Refuse resets all connections between the two hosts at both ends at once, and answers each later segment with a reset,
//     so that a dial fails with ECONNREFUSED. UDP gets ICMP's answer that the port is unreachable.
//   - Loss loses packets. TCP sends them again after 20 ms, which is set on the hosts, or sooner. A lost first segment of a
//     connection is instead delayed by 200 ms, as a message in package network: TCP would wait for 1 s.
//   - Duplicate and Reorder do what TCP must bear. A packet that is to be late waits for the next one on its link, or 5 ms.
//   - A packet has up to 65,000 bytes, so that a Write of a program is usually one packet.
//
// # What it needs
//
// Linux 5.3 or later, and one of these, in which [Supported] finds what is missing and says the remedy:
//
//   - root, with all capabilities. A container needs --privileged for that.
//   - any user, where user namespaces are allowed. That is the default of most distributions. Ubuntu since 23.10 needs
//     sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, and some Debian kernels kernel.unprivileged_userns_clone=1.
//     A container needs --security-opt seccomp=unconfined, --security-opt apparmor=unconfined and --security-opt
//     systempaths=unconfined.
//
// The Linux machines of GitHub Actions have sudo, which sets the first of these values. Jobs of GitLab need a runner whose
// containers are privileged, or one that runs jobs in a shell.
//
// Where /dev/net/tun cannot be opened, packet sockets take its place. They are slower, and packets have up to 16,000 bytes.
// Where a host was not allowed to mount its own /proc, it sees that of this process. Disks with faults need FUSE ([ErrNoDisk]).
// [Host.Missing] says what of that is missing. Clocks need libfaketime ([ErrNoClock]).
//
// # Nothing is left
//
// The first process on a host is its agent: this program, started again, and taken over before its main function. It listens to
// this process on a socket. When this process ends in any way, also by SIGKILL, the agent ends. It is PID 1 of the host, so the
// kernel then kills every process on the host, and removes its namespaces with their devices and mounts. Programs on the host
// cannot end the agent. The folder of a network that was not closed is removed by the next [New] with the same Options.Dir.
//
// Package internal/agent is the agent, internal/device the network devices, internal/packet their packets, internal/fabric the
// links, and fusefs the disks.
package hosts
