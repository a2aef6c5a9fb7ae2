package containers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"text/template"
	"time"

	"github.com/moby/moby/client"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Options describe a database. Image, Port and SQL are required.
type Options struct {
	// Engine is the client of the engine; nil connects as the environment says (DOCKER_HOST). The caller closes its own.
	Engine *client.Client
	// Name is the name of the target; default "containers".
	Name string
	// Image is the image of a node, which the engine must have.
	Image string
	// Command are the words of the node's command, each a template of View; none is the image's own.
	Command []string
	// Environment are templates of KEY=value.
	Environment []string
	// Port is where a node serves its clients.
	Port int
	// SQL returns how requests reach a node. It is called twice for each node: for clients and for Inside, which differ in
	// Node.Dial. It does not connect. A result that is an io.Closer is closed with the cluster.
	SQL func(node *Node) (target.SQL, error)
	// Status asks a node that runs for its own view. ID and Address are filled in. If it is nil, a node that answers
	// SELECT 1 is online.
	Status func(ctx context.Context, node *Node) (target.Status, error)
	// Formed runs once after all nodes of a new cluster answer, for example to make tables; nil does nothing. Dial reaches
	// the nodes as Inside does.
	Formed func(ctx context.Context, nodes []*Node) error
	// Declares are the assumptions that are true of the database.
	Declares []target.Assumption
}

// View is what templates see of a node.
type View struct {
	Name  string // n0, n1, …; the other nodes reach it by this name
	Index int
	Nodes []string // the names of all nodes
	Port  int
}

// Supported returns nil if an engine answers, or one sentence that says why not, and what to do.
func Supported(ctx context.Context, engine *client.Client) error {
	own, release, err := connect(engine)
	if err != nil {
		return err
	}
	_, err = own.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	if err = errors.Join(err, release()); err != nil {
		return fmt.Errorf("no Docker engine answers at %s (start one, or set DOCKER_HOST): %w", own.DaemonHost(), err)
	}
	return nil
}

func connect(engine *client.Client) (_ *client.Client, release func() error, err error) {
	if engine != nil {
		return engine, func() error { return nil }, nil
	}
	own, err := client.New(client.FromEnv)
	if err != nil {
		return nil, nil, fmt.Errorf("the environment names no Docker engine: %w", err)
	}
	return own, own.Close, nil
}

// New returns the target. It contacts no engine.
func New(options Options) *Target { return &Target{options} }

// Target boots clusters of containers. It is safe for concurrent use.
type Target struct{ options Options }

var _ target.Target = (*Target)(nil)

// Boot creates a network and a container for each node, starts them, and returns when every node answers.
func (t *Target) Boot(ctx context.Context, size int) (target.Cluster, error) {
	o := t.options
	switch {
	case size < 1:
		return nil, fmt.Errorf("boot %d containers: a cluster has at least 1 node", size)
	case o.Image == "" || o.Port == 0 || o.SQL == nil:
		return nil, errors.New("boot containers: Options.Image, Port and SQL are required")
	}
	engine, release, err := connect(o.Engine)
	if err != nil {
		return nil, err
	}
	c := newCluster(o, engine, release)
	if err := c.boot(ctx, size); err != nil {
		return nil, errors.Join(fmt.Errorf("boot %d containers: %w", size, err), c.Close())
	}
	return c, nil
}

// Node is a node as SQL and Status reach it, from one of two places.
type Node struct {
	View
	// Dial connects to the node: over the cluster's network for clients, and over its own for Inside. The address is
	// ignored: it may be Address.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Inside is the node's own SQL, for Status; nil for SQL.
	Inside target.SQL
}

// Address is the node's name and port. It is no address on this machine: connect by Dial.
func (n *Node) Address() string { return fmt.Sprintf("%s:%d", n.Name, n.Port) }

// render fills templates in.
func render(texts []string, v View) ([]string, error) {
	var out []string
	for _, text := range texts {
		t, err := template.New("").Option("missingkey=error").Parse(text)
		if err != nil {
			return nil, fmt.Errorf("template %q: %w", text, err)
		}
		var b strings.Builder
		if err := t.Execute(&b, v); err != nil {
			return nil, fmt.Errorf("template %q: %w", text, err)
		}
		out = append(out, b.String())
	}
	return out, nil
}

const pollInterval = 20 * time.Millisecond
