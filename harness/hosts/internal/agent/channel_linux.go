package agent

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// channel carries messages and descriptors over a Unix stream socket: the length in four bytes, then the message as JSON.
// The descriptors of a message travel with its first byte.
type channel struct {
	conn    *net.UnixConn
	sending sync.Mutex

	// Of the goroutine that receives.
	received []byte // not yet a whole message
	files    []int  // in the order of their messages
	data     []byte
	rights   []byte
}

// longest is the most bytes of a message: more than any command line that Linux accepts.
const longest = 16 << 20

func newChannel(f *os.File) (*channel, error) {
	c, err := net.FileConn(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return &channel{conn: c.(*net.UnixConn), data: make([]byte, 4<<10), rights: make([]byte, 512)}, nil
}

// send sends a message whole. The caller keeps the descriptors.
func (c *channel) send(m message, body any, files ...int) error {
	var err error
	if body != nil {
		if m.Body, err = json.Marshal(body); err != nil {
			return err
		}
	}
	m.Files = len(files)
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(text) > longest {
		return fmt.Errorf("a message of %d bytes is too long: %w", len(text), syscall.E2BIG)
	}
	rest := append(binary.NativeEndian.AppendUint32(nil, uint32(len(text))), text...)
	var rights []byte
	if len(files) > 0 {
		rights = syscall.UnixRights(files...)
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	n, _, err := c.conn.WriteMsgUnix(rest, rights, nil)
	if err == nil && n < len(rest) {
		_, err = c.conn.Write(rest[n:])
	}
	return err
}

// receive blocks until a whole message is there. The caller owns the descriptors.
func (c *channel) receive() (message, []int, error) {
	var m message
	for {
		if len(c.received) >= 4 {
			size := int(binary.NativeEndian.Uint32(c.received))
			if size > longest {
				return m, nil, fmt.Errorf("a message of %d bytes is too long", size)
			}
			if len(c.received) >= 4+size {
				err := json.Unmarshal(c.received[4:4+size], &m)
				c.received = append(c.received[:0], c.received[4+size:]...)
				if err == nil && m.Files > len(c.files) {
					err = errors.New("descriptors are missing: too many files are open")
				}
				if err != nil {
					return m, nil, err
				}
				files := c.files[:m.Files:m.Files]
				c.files = c.files[m.Files:]
				return m, files, nil
			}
		}
		if err := c.fill(); err != nil {
			return m, nil, err
		}
	}
}

// fill reads once.
func (c *channel) fill() error {
	n, rn, _, _, err := c.conn.ReadMsgUnix(c.data, c.rights)
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return err
	}
	c.received = append(c.received, c.data[:n]...)
	controls, err := syscall.ParseSocketControlMessage(c.rights[:rn])
	if err != nil {
		return err
	}
	for _, control := range controls {
		numbers, err := syscall.ParseUnixRights(&control)
		if err != nil {
			return err
		}
		c.files = append(c.files, numbers...)
	}
	return nil
}

// close ends the channel. Both sides' receive return.
func (c *channel) close() error { return c.conn.Close() }

// drop closes descriptors that no message took.
func (c *channel) drop() {
	closeAll(c.files)
	c.files = nil
}

func closeAll(files []int) {
	for _, f := range files {
		_ = syscall.Close(f)
	}
}
