package device

import (
	"os"
)

// Device carries the packets of one host. Read is for one goroutine; Write and Close are safe for concurrent use.
type Device struct {
	file *os.File
}

// Open returns the device whose descriptor Make returned. It owns the descriptor.
func Open(fd int, _ Kind) *Device { return &Device{file: os.NewFile(uintptr(fd), Name)} }

// Read blocks until the host sends a packet, and returns its header and the packet. p has room for Longest bytes.
func (d *Device) Read(p []byte) (int, error) { return d.file.Read(p) }

// Write gives the host a packet with its header. It does not block: a packet that the host has no room for is lost.
func (d *Device) Write(p []byte) error {
	_, err := d.file.Write(p)
	return err
}

// Close ends Read. The device of the host ends with it.
func (d *Device) Close() error { return d.file.Close() }
