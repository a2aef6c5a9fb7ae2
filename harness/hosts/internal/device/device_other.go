//go:build !linux

package device

import "errors"

// Device carries the packets of one host, of which there is none on this system.
type Device struct{}

var errSystem = errors.New("network devices of hosts need Linux")

// Open returns a device that has ended.
func Open(int, Kind) *Device { return &Device{} }

// Read returns an error, as do all other methods.
func (*Device) Read([]byte) (int, error) { return 0, errSystem }

func (*Device) Write([]byte) error { return errSystem }
func (*Device) Close() error       { return nil }
