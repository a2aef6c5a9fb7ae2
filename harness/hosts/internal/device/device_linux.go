package device

import (
	"encoding/binary"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Device carries the packets of one host. Read is for one goroutine; Write and Close are safe for concurrent use.
type Device interface {
	// Read blocks until the host sends a packet, and returns it with its header. p has room for Longest bytes.
	Read(p []byte) (int, error)
	// Write gives the host a packet with its header, and keeps nothing of it. It does not block: a packet that the host has
	// no room for is lost.
	Write(p []byte) error
	// Close ends Read. The device of the host ends with it.
	Close() error
}

// Open returns the device whose descriptor Make returned. It owns the descriptor.
func Open(fd int, kind Kind) Device {
	file := os.NewFile(uintptr(fd), Name)
	if kind == Veth {
		return newFrames(file)
	}
	return tun{file}
}

// tun is a TUN device.
type tun struct{ *os.File }

func (t tun) Write(p []byte) error {
	_, err := t.File.Write(p)
	return err
}

// frames is a packet socket, whose packets have an Ethernet header.
type frames struct {
	*os.File
	raw syscall.RawConn
	err error
}

// ethernet is the header of every frame: to and from any host, with IPv4.
var ethernet = append(append(append([]byte(nil), address...), address...), 8, 0)

func newFrames(file *os.File) *frames {
	f := &frames{File: file}
	f.raw, f.err = file.SyscallConn()
	return f
}

func (f *frames) Read(p []byte) (n int, err error) {
	if f.err != nil {
		return 0, f.err
	}
	var header [14]byte
	parts := [][]byte{p[:Header], header[:], p[Header:]}
	for {
		var failed error
		err = f.raw.Read(func(fd uintptr) bool {
			n, failed = unix.Readv(int(fd), parts)
			return failed != unix.EAGAIN
		})
		switch {
		case err != nil:
			return 0, err
		case failed == unix.EINTR || failed == unix.ENETDOWN:
			continue
		case failed != nil:
			return 0, failed
		case n < Header+len(header):
			continue
		}
		shift(p, -len(header))
		return n - len(header), nil
	}
}

func (f *frames) Write(p []byte) error {
	var header [Header]byte
	copy(header[:], p)
	shift(header[:], len(ethernet))
	var failed error
	err := f.raw.Control(func(fd uintptr) {
		_, failed = unix.Writev(int(fd), [][]byte{header[:], ethernet, p[Header:]})
	})
	if err != nil {
		return err
	}
	return failed
}

// shift moves where the checksum begins, if it is yet to be computed (VIRTIO_NET_HDR_F_NEEDS_CSUM).
func shift(header []byte, by int) {
	if header[0]&1 != 0 {
		start := int(binary.NativeEndian.Uint16(header[6:])) + by
		binary.NativeEndian.PutUint16(header[6:], uint16(start))
	}
}
