package device

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// errNoTUN says that this process cannot have TUN devices.
var errNoTUN = errors.New("no TUN device")

// makeTUN makes a TUN device. It is persistent: when its descriptor is closed, it stays until its namespace ends. To remove it
// at the close takes the kernel some 15 ms, and it removes devices of namespaces in the background.
func makeTUN() (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("%w: open /dev/net/tun: %w", errNoTUN, err)
	}
	if err := setTUN(fd); err != nil {
		return -1, errors.Join(fmt.Errorf("make a TUN device: %w", err), unix.Close(fd))
	}
	return fd, nil
}

func setTUN(fd int) error {
	request, err := unix.NewIfreq(Name)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return err
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1); err != nil {
		return err
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, unix.TUN_F_CSUM); err != nil {
		return err
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket) // nothing was written
	request.SetUint32(MTU)
	return unix.IoctlIfreq(socket, unix.SIOCSIFMTU, request)
}
