package proc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/target"
)

type linkChange = linkstate.Change

// transactor is a target.SQL with interactive transactions: a *sqldb.DB.
type transactor interface {
	Isolations() []target.Isolation
	Begin(ctx context.Context, level target.Isolation) (target.Transaction, error)
}

// withAbilities is the cluster with what its database declares and the machine can do. What is missing is missing in
// target.Can.
func (c *cluster) withAbilities(ctx context.Context) target.Cluster {
	first := c.all()[0]
	t, can := first.client.(transactor)
	return c.able(can && len(t.Isolations()) > 0, first.host.SetDisk(ctx, fault.Disk{}) == nil, c.skews)
}

// Foretell returns a cluster that can do what the database declares, and all that depends on the machine or on the SQL of a node.
func (b *booter) Foretell() target.Cluster {
	c := &cluster{database: b.database}
	return c.able(true, true, b.database.Clocks)
}

// able is the cluster with what its database declares, and with abilities that were found at boot.
func (c *cluster) able(transacts, breaksDisks, skews bool) target.Cluster {
	d, out := c.database, target.Cluster(c)
	if d.Members != nil {
		out = membership{out, c}
	}
	if len(d.Versions) > 0 {
		out = upgrader{out, c}
	}
	if d.Remembered != nil {
		out = deduplicator{out, c}
	}
	if d.Digest != nil {
		out = digester{out, c}
	}
	if transacts {
		out = transactions{out, c}
	}
	if d.Alarms != nil {
		out = alarms{out, *d.Alarms}
	}
	if breaksDisks {
		out = disks{out, c}
	}
	if skews {
		out = clocks{out, c}
	}
	return out
}

// deduplicator is target.Deduplicator.
type deduplicator struct {
	target.Cluster
	c *cluster
}

func (d deduplicator) Unwrap() target.Cluster { return d.Cluster }

func (d deduplicator) Remembered(ctx context.Context, node int) (map[string]bool, error) {
	n, err := d.c.node(node)
	if err != nil {
		return nil, err
	}
	return d.c.database.Remembered(ctx, n.own(), n.inside)
}

func (d deduplicator) Memory() int { return cmp.Or(d.c.database.Memory, math.MaxInt32) }

// digester is target.Digester.
type digester struct {
	target.Cluster
	c *cluster
}

func (d digester) Unwrap() target.Cluster { return d.Cluster }

func (d digester) Digest(ctx context.Context, node int) (uint64, string, error) {
	n, err := d.c.node(node)
	if err != nil {
		return 0, "", err
	}
	return d.c.database.Digest(ctx, n.own(), n.inside)
}

// transactions is target.Transactor.
type transactions struct {
	target.Cluster
	c *cluster
}

func (t transactions) Unwrap() target.Cluster { return t.Cluster }

func (t transactions) Isolations() []target.Isolation {
	return t.c.all()[0].client.(transactor).Isolations()
}

func (t transactions) Begin(ctx context.Context, node int, level target.Isolation) (target.Transaction, error) {
	n, err := t.c.node(node)
	if err != nil {
		return nil, err
	}
	return n.client.(transactor).Begin(ctx, level)
}

// upgrader is target.Upgrader.
type upgrader struct {
	target.Cluster
	c *cluster
}

func (u upgrader) Unwrap() target.Cluster { return u.Cluster }

func (u upgrader) Versions() []string {
	names := make([]string, len(u.c.database.Versions))
	for i, v := range u.c.database.Versions {
		names[i] = v.Name
	}
	return names
}

func (u upgrader) Version(node int) (string, error) {
	n, err := u.c.node(node)
	if err != nil {
		return "", err
	}
	u.c.mu.Lock()
	defer u.c.mu.Unlock()
	return n.version, nil
}

func (u upgrader) SetVersion(ctx context.Context, node int, version string) error {
	n, _, leave, err := u.c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	if !slices.Contains(u.Versions(), version) {
		return fmt.Errorf("set the version of node %s: there is no version %q, only %q", n.id, version, u.Versions())
	}
	if _, err := n.running(); err == nil {
		return fmt.Errorf("set the version of node %s: it runs", n.id)
	}
	u.c.mu.Lock()
	defer u.c.mu.Unlock()
	n.version = version
	return nil
}

// disks is target.DiskFaulter.
type disks struct {
	target.Cluster
	c *cluster
}

func (d disks) Unwrap() target.Cluster { return d.Cluster }

func (d disks) SetDisk(ctx context.Context, node int, faults fault.Disk) error {
	n, err := d.c.node(node)
	if err != nil {
		return err
	}
	return n.host.SetDisk(ctx, faults)
}

var errNoPart = errors.New("the database has no such part, or no file of it is there")

// Damage flips a byte in the middle of the largest file of a part, or empties the whole disk of a node that does not run.
func (d disks) Damage(ctx context.Context, node int, part fault.Part) (string, error) {
	n, err := d.c.node(node)
	if err != nil {
		return "", err
	}
	if part == fault.Everything {
		return "", d.empty(ctx, node)
	}
	var largest string
	var size int64
	if pattern := d.c.database.Parts[part]; pattern != "" {
		files, err := filepath.Glob(filepath.Join(n.host.Dir(), pattern))
		if err != nil {
			return "", fmt.Errorf("damage the %s of node %s: %w", part, n.id, err)
		}
		for _, file := range files {
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() > size {
				largest, size = file, info.Size()
			}
		}
	}
	if largest == "" {
		return "", fmt.Errorf("damage the %s of node %s: %w", part, n.id, errNoPart)
	}
	name, err := filepath.Rel(n.host.Dir(), largest)
	if err != nil {
		return "", err
	}
	if err := n.host.Damage(ctx, filepath.ToSlash(name), size/2); err != nil {
		return "", err
	}
	return filepath.Base(largest), nil
}

// empty empties the disk of a node.
func (d disks) empty(ctx context.Context, node int) error {
	n, ctx, leave, err := d.c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	if _, err := n.running(); err == nil {
		return fmt.Errorf("empty the disk of node %s: it runs", n.id)
	}
	if err := n.wipe(ctx); err != nil {
		return fmt.Errorf("empty the disk of node %s: %w", n.id, err)
	}
	return nil
}

// clocks is target.ClockSetter.
type clocks struct {
	target.Cluster
	c *cluster
}

func (k clocks) Unwrap() target.Cluster { return k.Cluster }

func (k clocks) SetClock(ctx context.Context, node int, ahead time.Duration) error {
	n, err := k.c.node(node)
	if err != nil {
		return err
	}
	if err := n.host.SetClock(ctx, ahead); err != nil {
		return err
	}
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	n.ahead = ahead
	return nil
}

// alarms is target.Alarmer.
type alarms struct {
	target.Cluster
	words target.Alarms
}

func (a alarms) Unwrap() target.Cluster { return a.Cluster }

func (a alarms) Alarms() target.Alarms { return a.words }
