package device

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// far is the name of the end of a veth pair that has a packet socket and no address.
const far = "switch0"

// address is the hardware address of every host. Without ARP a host sends to its own address, and so reaches any other.
var address = net.HardwareAddr{2, 0, 0, 0, 0, 1}

const (
	packetVnetHeader     = 15 // PACKET_VNET_HDR of linux/if_packet.h
	packetBypass         = 20 // PACKET_QDISC_BYPASS
	packetIgnoreOutgoing = 23 // PACKET_IGNORE_OUTGOING, since Linux 4.20
)

// makeVeth makes a veth pair, and returns a packet socket on the end that the host does not use.
func makeVeth() (int, error) {
	attributes := netlink.NewLinkAttrs()
	attributes.Name, attributes.HardwareAddr, attributes.MTU = Name, address, vethMTU
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: far, PeerMTU: vethMTU}); err != nil {
		return -1, fmt.Errorf("make a veth pair: %w", err)
	}
	near, err := netlink.LinkByName(Name)
	if err != nil {
		return -1, fmt.Errorf("find the veth pair: %w", err)
	}
	other, err := netlink.LinkByName(far)
	if err != nil {
		return -1, fmt.Errorf("find the veth pair: %w", err)
	}
	if err := netlink.LinkSetARPOff(near); err != nil {
		return -1, fmt.Errorf("switch ARP off: %w", err)
	}
	if err := netlink.LinkSetGSOMaxSegs(near, 1); err != nil {
		return -1, fmt.Errorf("switch segmentation off: %w", err)
	}
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+far+"/disable_ipv6", []byte("1"), 0) // as in tune
	if err := netlink.LinkSetUp(other); err != nil {
		return -1, fmt.Errorf("bring the veth pair up: %w", err)
	}
	return packetSocket(other.Attrs().Index)
}

func packetSocket(index int) (int, error) {
	// IPv4 only. The kernel wants the protocol in network order.
	const protocol = unix.ETH_P_IP>>8 | unix.ETH_P_IP<<8&0xff00
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("open a packet socket: %w", err)
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, packetVnetHeader, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, packetIgnoreOutgoing, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, packetBypass, 1),
		grow(fd),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: index}),
	)
	if err != nil {
		return -1, errors.Join(fmt.Errorf("set a packet socket up: %w", err), unix.Close(fd))
	}
	return fd, nil
}

// grow makes the socket's buffers as large as the system allows. Packets beyond them are lost.
func grow(fd int) error {
	const size = 32 << 20
	for _, option := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, option[0], size) == nil {
			continue
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option[1], size); err != nil {
			return err
		}
	}
	return nil
}
