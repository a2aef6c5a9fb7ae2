//go:build libsqlite3

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// silence is how long the other end of a connection may be silent, in seconds, before its transaction is given up. dqlite
	// itself waits for ever, and keeps the lock.
	silence = 3
	// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), in milliseconds.
	tcpUserTimeout = 0x12
)

var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: silence - 1}

func control(_, _ string, raw syscall.RawConn) (err error) {
	failed := raw.Control(func(fd uintptr) {
		err = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, silence*1000))
	})
	if failed != nil {
		return failed
	}
	return err
}

var dialer = net.Dialer{Timeout: silence * time.Second, KeepAliveConfig: keepAlive, Control: control}

// front accepts connections, and joins each to one that dial makes. It returns when the listener is closed.
func front(listener net.Listener, dial func(from *bufio.Reader) (net.Conn, error)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			from := bufio.NewReader(conn)
			to, err := dial(from)
			if err != nil {
				fmt.Fprintln(os.Stderr, "no connection for", conn.RemoteAddr(), err)
				return
			}
			defer to.Close()
			var both sync.WaitGroup
			both.Go(func() {
				_, _ = io.Copy(to, from)
				_ = to.Close()
			})
			_, _ = io.Copy(conn, to)
			_ = conn.Close()
			both.Wait()
		}()
	}
}

// serve listens for other nodes and clients, who talk to dqlite on its own socket, and for clients of this node, who name the
// node that they want to be connected with in a first line.
func serve(address, relay, own string) (close func(), err error) {
	listen := net.ListenConfig{KeepAliveConfig: keepAlive, Control: control}
	public, err := listen.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	relayed, err := listen.Listen(context.Background(), "tcp", relay)
	if err != nil {
		public.Close()
		return nil, err
	}
	go front(public, func(*bufio.Reader) (net.Conn, error) { return net.Dial("unix", own) })
	go front(relayed, func(from *bufio.Reader) (net.Conn, error) {
		to, err := from.ReadString('\n')
		if err != nil {
			return nil, err
		}
		return dialer.Dial("tcp", strings.TrimSpace(to))
	})
	return func() { public.Close(); relayed.Close() }, nil
}
