// Package device makes the network device of a host, and carries its packets to the harness' process.
//
// There are two kinds. A TUN device is a file that gives and takes IP packets. Where /dev/net/tun cannot be opened, a veth
// pair takes its place: the host's address is on one end, and a packet socket on the other end gives and takes frames.
// [Make] runs in the host's network namespace, and [Open] in the harness' process, with the descriptor that Make returned.
//
// The kernel does not compute checksums of packets that it sends to a device, and does not verify those that it gets from
// one, as long as the header in front of each packet says so (struct virtio_net_hdr, 10 bytes). The packets travel with it.
package device

// Kind is a kind of network device.
type Kind string

const (
	TUN  Kind = "tun"
	Veth Kind = "veth"
)

const (
	// Name is the name of the device that has the host's address.
	Name = "eth0"
	// MTU is the most bytes of an IP packet on a TUN device: as many as one Write of most programs.
	MTU = 65_000
	// vethMTU is that on a veth pair. A packet socket holds 200 KiB on many systems, which has to be several packets.
	vethMTU = 16_000
	// Header is the number of bytes in front of each packet.
	Header = 10
	// Longest is the most bytes that Read returns, with the header.
	Longest = Header + 1<<16
)
