package network_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"syscall"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// A link that refuses fails every dial at once, until it is mended.
func ExampleNetwork_Cut() {
	net := network.Memory(1)
	defer net.Close()
	client, err := net.Host("client")
	if err != nil {
		log.Fatal(err)
	}
	server, err := net.Host("server")
	if err != nil {
		log.Fatal(err)
	}
	listener, err := server.Listen()
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()

	dial := func() error {
		conn, err := client.DialContext(context.Background(), "tcp", server.Addr())
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	if err := net.Cut(fault.Refuse, "client", "server"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("refused:", errors.Is(dial(), syscall.ECONNREFUSED))
	if err := net.Mend("client", "server"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("mended:", dial())
	// Output:
	// refused: true
	// mended: <nil>
}
