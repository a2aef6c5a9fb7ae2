package hosts_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
)

// Two hosts, a program on each, and a link that refuses in between. See package hosts for what a machine needs.
func Example() {
	if err := hosts.Supported(); err != nil {
		fmt.Println(err)
		return
	}
	n, err := hosts.New(hosts.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer n.Close() // kills every program on its hosts

	ctx := context.Background()
	server, err := n.Host(ctx, "server")
	if err != nil {
		log.Fatal(err)
	}
	client, err := n.Host(ctx, "client")
	if err != nil {
		log.Fatal(err)
	}
	database, err := server.Start(ctx, hosts.Command{Path: "sleep", Args: []string{"1000"}}) // or any database
	if err != nil {
		log.Fatal(err)
	}
	if err := n.SetRule("client", "server", fault.Rule{Action: fault.Refuse}); err != nil {
		log.Fatal(err)
	}
	_, err = client.DialContext(ctx, "tcp", "server:5432")
	fmt.Println(err)

	var out bytes.Buffer
	hello, err := client.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", "echo hello from $(hostname)"}, Output: &out})
	if err != nil {
		log.Fatal(err)
	}
	exit, err := hello.Wait(ctx)
	fmt.Print(out.String())
	fmt.Println(exit, err)

	if err := server.Kill(ctx); err != nil {
		log.Fatal(err)
	}
	exit, err = database.Wait(ctx)
	fmt.Println(exit, err)
	// Output:
	// dial tcp 10.77.0.1:5432: connect: connection refused
	// hello from client
	// exit code 0 <nil>
	// ended by killed <nil>
}
