package containers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// label is on everything that the package makes in an engine. Its value is the process that owns it: see owner.
const label = "rejoin.owner"

func newCluster(o Options, engine *client.Client, release func() error) *Cluster {
	return &Cluster{options: o, engine: engine, release: release, name: "rejoin-" + strings.ToLower(rand.Text()[:8])}
}

func (c *Cluster) boot(ctx context.Context, size int) error {
	if err := Supported(ctx, c.engine); err != nil {
		return err
	}
	if err := sweep(ctx, c.engine); err != nil {
		return fmt.Errorf("remove what earlier runs left: %w", err)
	}
	var err error
	if c.network, err = c.addNetwork(ctx, c.name); err != nil {
		return err
	}
	var names []string
	for i := range size {
		names = append(names, fmt.Sprintf("n%d", i))
	}
	for i, name := range names {
		if err := c.add(ctx, View{Name: name, Index: i, Nodes: names, Port: c.options.Port}); err != nil {
			return fmt.Errorf("node %s: %w", name, err)
		}
	}
	errs := make([]error, size)
	var all sync.WaitGroup
	for i, n := range c.nodes {
		all.Go(func() { errs[i] = n.failed("start", n.start(ctx)) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil || c.options.Formed == nil {
		return err
	}
	var asked []*Node
	for _, n := range c.nodes {
		asked = append(asked, n.asked)
	}
	return c.options.Formed(ctx, asked)
}

func (c *Cluster) addNetwork(ctx context.Context, name string) (string, error) {
	made, err := c.engine.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Labels: map[string]string{label: owner()}})
	if err != nil {
		return "", fmt.Errorf("network %s: %w", name, err)
	}
	return made.ID, nil
}

// add creates a node that does not run yet.
func (c *Cluster) add(ctx context.Context, view View) error {
	command, err := render(c.options.Command, view)
	if err != nil {
		return err
	}
	environment, err := render(c.options.Environment, view)
	if err != nil {
		return err
	}
	n := &node{cluster: c, view: view, changing: make(chan struct{}, 1), state: crashed, conns: make(map[net.Conn]bool)}
	c.nodes = append(c.nodes, n)
	if n.own, err = c.addNetwork(ctx, c.name+"-"+view.Name); err != nil {
		return err
	}
	made, err := c.engine.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: c.name + "-" + view.Name,
		// A terminal joins both streams into one.
		Config: &container.Config{Image: c.options.Image, Cmd: command, Env: environment, Hostname: view.Name, Tty: true,
			Labels: map[string]string{label: owner()}},
		NetworkingConfig: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{c.name: n.endpoint()}},
	})
	if err != nil {
		return err
	}
	n.container = made.ID
	if _, err := c.engine.NetworkConnect(ctx, n.own, client.NetworkConnectOptions{Container: n.container}); err != nil {
		return err
	}
	n.asked = &Node{View: view, Dial: n.dialInside}
	if n.client, err = c.options.SQL(&Node{View: view, Dial: n.dial}); err != nil {
		return err
	}
	c.closeLater(n.client)
	if n.inside, err = c.options.SQL(&Node{View: view, Dial: n.dialInside}); err != nil {
		return err
	}
	c.closeLater(n.inside)
	n.asked.Inside = n.inside
	return nil
}

func (c *Cluster) closeLater(what any) {
	if closer, closes := what.(io.Closer); closes {
		c.closers = append(c.closers, closer)
	}
}

// remove removes all that the cluster has in the engine.
func (c *Cluster) remove(ctx context.Context) error {
	errs := make([]error, len(c.nodes))
	var all sync.WaitGroup
	for i, n := range c.nodes {
		all.Go(func() {
			n.changing <- struct{}{} // no operation runs any more, and none begins
			n.cut()
			if n.container != "" {
				_, errs[i] = c.engine.ContainerRemove(ctx, n.container, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			}
			if n.own != "" {
				_, err := c.engine.NetworkRemove(ctx, n.own, client.NetworkRemoveOptions{})
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	all.Wait()
	if c.network != "" {
		_, err := c.engine.NetworkRemove(ctx, c.network, client.NetworkRemoveOptions{})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// owner names this process for as long as the machine runs: the machine and its set of processes, the number of the
// process, and the time of its start, because numbers are used again.
func owner() string { return ownerOf(os.Getpid()) }

func ownerOf(pid int) string { return fmt.Sprintf("%s/%d/%s", machine(), pid, started(pid)) }

// machine names the run of this machine and the namespace of its processes; other processes of the same engine may be in
// another one, where their numbers mean nothing here.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(boot)) + "/" + space
}

// started is when a process has started, in ticks since the machine has; "" if there is no such process.
func started(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name in parentheses may have spaces. The time is the 22nd field, the 20th after it.
	const after = 19
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) <= after {
		return ""
	}
	return fields[after]
}

// gone tells whether the process that owns something has ended. It is false where that cannot be known.
func gone(by string) bool {
	rest, here := strings.CutPrefix(by, machine()+"/")
	number, _, _ := strings.Cut(rest, "/")
	pid, err := strconv.Atoi(number)
	return here && err == nil && machine() != "unknown" && (started(pid) == "" || ownerOf(pid) != by)
}

// sweep removes containers and networks of processes that have ended.
func sweep(ctx context.Context, engine *client.Client) error {
	ours := client.Filters{}.Add("label", label)
	containers, err := engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range containers.Items {
		if gone(c.Labels[label]) {
			_, err := engine.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			errs = append(errs, unlessGone(err))
		}
	}
	networks, err := engine.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	for _, n := range networks.Items {
		if gone(n.Labels[label]) {
			_, err := engine.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			errs = append(errs, unlessGone(err))
		}
	}
	return errors.Join(append(errs, err)...)
}

// unlessGone is the error, unless another process removes the same.
func unlessGone(err error) error {
	if errdefs.IsNotFound(err) || errdefs.IsConflict(err) {
		return nil
	}
	return err
}
