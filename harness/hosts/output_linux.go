package hosts

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// output is where a program writes: a file, or a pipe whose content is copied to a writer.
type output struct {
	host    *Host
	write   *os.File // the program's end
	lent    bool     // write belongs to the command
	read    *os.File // this process' end of the pipe, or nil
	to      io.Writer
	drained chan struct{}
}

// output opens the output for a program; to is nil for the host's log.
func (h *Host) output(to io.Writer) (*output, error) {
	o := &output{host: h, to: to, drained: make(chan struct{})}
	var err error
	if to == nil {
		o.write, err = os.OpenFile(h.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return nil, fmt.Errorf("open its log: %w", err)
		}
		return o, nil
	}
	if file, is := to.(*os.File); is {
		o.write, o.lent = file, true
		return o, nil
	}
	o.read, o.write, err = os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for its output: %w", err)
	}
	return o, nil
}

// descriptor is what the program gets. It blocks, as programs expect.
func (o *output) descriptor() int { return int(o.write.Fd()) }

// started is called once after the start of the program.
func (o *output) started(ok bool) error {
	if o.lent {
		return nil
	}
	err := o.write.Close()
	switch {
	case o.read == nil:
	case !ok:
		err = errors.Join(err, o.read.Close())
	default:
		o.host.network.work.Go(o.copy)
	}
	return err
}

// copy copies until no process has the pipe any more. drained is closed when all is copied that the program wrote.
func (o *output) copy() {
	defer o.read.Close() // the writers are gone
	buffer := make([]byte, 32<<10)
	for {
		n, err := o.read.Read(buffer)
		if n > 0 {
			_, _ = o.to.Write(buffer[:n]) // an output that takes nothing loses it; the program goes on
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			o.drain(buffer)
			close(o.drained)
			err = o.read.SetReadDeadline(noDeadline)
		}
		if err != nil {
			select {
			case <-o.drained:
			default:
				close(o.drained)
			}
			return
		}
	}
}

// drain copies what is in the pipe.
func (o *output) drain(buffer []byte) {
	raw, err := o.read.SyscallConn()
	if err != nil {
		return
	}
	for more := true; more; {
		err = raw.Control(func(fd uintptr) {
			n, err := syscall.Read(int(fd), buffer)
			if more = n > 0 || errors.Is(err, syscall.EINTR); n > 0 {
				_, _ = o.to.Write(buffer[:n])
			}
		})
		more = more && err == nil
	}
}

// ended is called after the program has ended. It returns when all that it wrote is copied.
func (o *output) ended() {
	if o.read == nil {
		return
	}
	_ = o.read.SetReadDeadline(longAgo) // fails if the copy has ended
	<-o.drained
}
