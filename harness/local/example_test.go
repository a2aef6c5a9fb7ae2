package local_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
)

// The client of an application writes, over the links of the cluster's clients: Node.Dial
// makes its connections. A client that connects to Node.Address by itself is never cut off.
func ExampleNew() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := harness.Boot(ctx, local.New(local.Options{Token: "secret"}), harness.Size(3))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	node, err := cluster.Node(1)
	if err != nil {
		log.Fatal(err)
	}
	address, err := node.Address(ctx)
	if err != nil {
		log.Fatal(err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return node.Dial(ctx) }}
	defer transport.CloseIdleConnections()

	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/api/sql",
		bytes.NewReader([]byte(`{"sql": "CREATE TABLE orders (item TEXT)"}`)))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+cluster.Token())
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		log.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	fmt.Println(response.Status)
	fmt.Println(cluster.VerifyDataConsistency(ctx, "SELECT * FROM orders"))
	// Output:
	// 200 OK
	// <nil>
}
