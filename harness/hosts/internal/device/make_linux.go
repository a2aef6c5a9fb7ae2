package device

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// rtoMin is the least time after which TCP sends a lost packet again. Linux' own is 200 ms, for the Internet.
const rtoMin = 20 * time.Millisecond

// Make makes the device in the network namespace of the calling thread, with the address, and brings it and the loopback
// device up. The descriptor does not block.
func Make(addr netip.Prefix, packet bool) (int, Kind, error) {
	file, kind, err := open(packet)
	if err != nil {
		return -1, "", err
	}
	if err := configure(addr); err != nil {
		return -1, "", errors.Join(err, unix.Close(file))
	}
	tune()
	return file, kind, nil
}

func open(packet bool) (int, Kind, error) {
	if !packet {
		file, err := makeTUN()
		if err == nil {
			return file, TUN, nil
		}
		if !errors.Is(err, errNoTUN) {
			return -1, "", err
		}
	}
	file, err := makeVeth()
	return file, Veth, err
}

// configure brings the devices up.
func configure(addr netip.Prefix) error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find the loopback device: %w", err)
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return fmt.Errorf("bring the loopback device up: %w", err)
	}
	link, err := netlink.LinkByName(Name)
	if err != nil {
		return fmt.Errorf("find the network device: %w", err)
	}
	own := &net.IPNet{IP: addr.Addr().AsSlice(), Mask: net.CIDRMask(addr.Bits(), addr.Addr().BitLen())}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: own, Flags: unix.IFA_F_NOPREFIXROUTE}); err != nil {
		return fmt.Errorf("give the network device its address: %w", err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring the network device up: %w", err)
	}
	if err := addRoute(link.Attrs().Index, addr); err != nil {
		return fmt.Errorf("add the route to the other hosts: %w", err)
	}
	return nil
}

// addRoute adds the route to the network of an address. The kernel obeys its least retransmission timeout only if that metric
// is locked, which package netlink cannot say.
func addRoute(index int, addr netip.Prefix) error {
	const metrics = 1 << unix.RTAX_RTO_MIN
	request := nl.NewNetlinkRequest(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	route := nl.NewRtMsg()
	route.Family, route.Scope, route.Dst_len = unix.AF_INET, unix.RT_SCOPE_LINK, uint8(addr.Bits())
	request.AddData(route)
	request.AddData(nl.NewRtAttr(unix.RTA_DST, addr.Masked().Addr().AsSlice()))
	request.AddData(nl.NewRtAttr(unix.RTA_PREFSRC, addr.Addr().AsSlice()))
	request.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(uint32(index))))
	timing := nl.NewRtAttr(unix.RTA_METRICS, nil)
	timing.AddRtAttr(unix.RTAX_LOCK, nl.Uint32Attr(metrics))
	timing.AddRtAttr(unix.RTAX_RTO_MIN, nl.Uint32Attr(uint32(rtoMin/time.Millisecond)))
	request.AddData(timing)
	_, err := request.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// tune sets what makes TCP fast on these links. A system that does not allow or know a setting works without it.
func tune() {
	for _, setting := range [][2]string{
		{"tcp_congestion_control", "cubic"},
		{"tcp_congestion_control", "reno"}, // allowed to every user, unlike others
		{"tcp_slow_start_after_idle", "0"},
		{"tcp_no_metrics_save", "1"},
		{"ip_unprivileged_port_start", "0"},
	} {
		_ = os.WriteFile("/proc/sys/net/ipv4/"+setting[0], []byte(setting[1]), 0)
	}
}
