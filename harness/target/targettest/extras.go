package targettest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofExtras are the checks of what targets can report or do besides faults.
func ofExtras() []Check {
	return []Check{
		{Name: "reads the end of a node's log", Needs: []target.Ability{target.Logs}, run: readsLogs},
		{Name: "keeps a node's log over a crash", Needs: []target.Ability{target.Logs, target.Crash}, run: keepsLogs},
		{Name: "lists a node's files", Needs: []target.Ability{target.Files}, run: listsFiles},
		{Name: "hashes what nodes hold", run: hashes},
		{Name: "makes one replica differ", Nodes: 2, Needs: []target.Ability{target.Diverge}, run: diverges},
		{Name: "reports changes of role", Needs: []target.Ability{target.Roles}, run: reportsRoles},
		{Name: "reports the faults in force", Nodes: 2, Needs: []target.Ability{target.Survey}, run: surveys},
		{Name: "sets a clock, and keeps serving", Needs: []target.Ability{target.Clocks}, run: setsClocks},
		{Name: "accepts raw connections", Needs: []target.Ability{target.Dial}, run: dials},
		{Name: "commits and rolls back transactions", Needs: []target.Ability{target.Transactions}, run: transacts},
		{Name: "runs the version that is set", Nodes: 3, Needs: []target.Ability{target.Versions, target.Stop}, run: setsVersion},
	}
}

// plenty is more than a log has.
const plenty = 1 << 30

func readsLogs(_ context.Context, s *subject) error {
	logs, _ := target.As[target.LogReader](s.Cluster)
	for i := range s.Nodes() {
		end, err := logs.Log(i, 10)
		if err != nil {
			return wrong("LogReader.Log", "the log of node %s cannot be read: %v", s.id(i), err)
		}
		all, err := logs.Log(i, plenty)
		switch {
		case err != nil:
			return wrong("LogReader.Log", "the log of node %s cannot be read: %v", s.id(i), err)
		case len(end) > 10:
			return wrong("LogReader.Log", "of 10 bytes at most of the log of node %s, there are %d", s.id(i), len(end))
		case !strings.Contains(all, end) || len(all) > 10 && len(end) < 10:
			return wrong("LogReader.Log", "the last 10 bytes of the log of node %s are %q, which are not at its end", s.id(i), end)
		case len(all) > 20 && strings.HasPrefix(all, end) && !strings.Contains(all[10:], end):
			return wrong("LogReader.Log", "the beginning of the log of node %s was returned in place of its end", s.id(i))
		}
	}
	return nil
}

func keepsLogs(ctx context.Context, s *subject) error {
	logs, _ := target.As[target.LogReader](s.Cluster)
	starter, _ := target.As[target.Starter](s.Cluster)
	before, err := logs.Log(0, plenty)
	if err != nil {
		return wrong("LogReader.Log", "the log of node %s cannot be read: %v", s.id(0), err)
	}
	if err := starter.Crash(ctx, 0); err != nil {
		return wrong("Starter.Crash", "node %s cannot be crashed: %v", s.id(0), err)
	}
	down, readErr := logs.Log(0, plenty)
	if err := starter.Start(ctx, 0); err != nil {
		return wrong("Starter.Start", "node %s cannot be started: %v", s.id(0), err)
	}
	if readErr != nil {
		return wrong("LogReader.Log", "the log of node %s cannot be read while it is down: %v", s.id(0), readErr)
	}
	after, err := logs.Log(0, plenty)
	if err != nil || !strings.HasPrefix(down, before) || !strings.HasPrefix(after, down) {
		return wrong("LogReader.Log", "the log of node %s has %d bytes, %d after a crash and %d after a start, and each must begin with the "+
			"one before (error: %v)", s.id(0), len(before), len(down), len(after), err)
	}
	return s.level(ctx)
}

func listsFiles(ctx context.Context, s *subject) error {
	lister, _ := target.As[target.FileLister](s.Cluster)
	for i := range s.Nodes() {
		files, err := lister.Files(ctx, i)
		if err != nil {
			return wrong("FileLister.Files", "the files of node %s cannot be listed: %v", s.id(i), err)
		}
		if len(files) == 0 || !slices.IsSorted(files) {
			return wrong("FileLister.Files", "the files of node %s are none, or not in lexical order: %q", s.id(i), files)
		}
		for _, file := range files {
			if path.IsAbs(file) || path.Clean(file) != file || strings.Contains(file, "\\") {
				return wrong("FileLister.Files", "%q of node %s is no slash-separated path below its directory", file, s.id(i))
			}
		}
	}
	return nil
}

func hashes(ctx context.Context, s *subject) error {
	digester, can := target.As[target.Digester](s.Cluster)
	if !can {
		return &Skipped{"the target cannot hash the database of a node"}
	}
	// same waits until all nodes have one index, and returns their hash.
	same := func() (sum string, err error) {
		err = s.await(ctx, func(ctx context.Context) error {
			index, first, err := digester.Digest(ctx, 0)
			if err != nil {
				return err
			}
			for _, i := range s.others(0) {
				at, other, err := digester.Digest(ctx, i)
				switch {
				case err != nil:
					return err
				case at != index:
					return fmt.Errorf("node %s is at %d, and node %s at %d", s.id(0), index, s.id(i), at)
				case other != first:
					return fmt.Errorf("nodes %s and %s have different hashes at %d", s.id(0), s.id(i), index)
				}
			}
			sum = first
			return nil
		})
		if err != nil {
			return "", wrong("Digester.Digest", "nodes with the same data do not have the same index and hash: %v", err)
		}
		return sum, nil
	}
	before, err := same()
	if err != nil {
		return err
	}
	if err := s.level(ctx); err != nil {
		return err
	}
	after, err := same()
	if err == nil && before == after {
		err = wrong("Digester.Digest", "a row was written, and the hash stays %q", after)
	}
	return err
}

func diverges(ctx context.Context, s *subject) error {
	diverger, _ := target.As[target.Diverger](s.Cluster)
	key := s.key()
	if err := diverger.Diverge(ctx, 1, fmt.Sprintf("INSERT INTO %s (k) VALUES (%d)", table, key)); err != nil {
		return wrong("Diverger.Diverge", "node %s cannot be changed alone: %v", s.id(1), err)
	}
	is, err := s.has(ctx, s.inside(1), target.Local, key)
	if err != nil || !is {
		return wrong("Diverger.Diverge", "node %s was changed alone, and does not show it (error: %v)", s.id(1), err)
	}
	err = s.never(ctx, func(ctx context.Context) error {
		if is, err := s.has(ctx, s.inside(0), target.Local, key); err == nil && is {
			return wrong("Diverger.Diverge", "node %s was changed alone, and node %s shows it", s.id(1), s.id(0))
		}
		return nil
	})
	return errors.Join(err, diverger.Diverge(ctx, 1, fmt.Sprintf("DELETE FROM %s WHERE k = %d", table, key)))
}

func reportsRoles(ctx context.Context, s *subject) error {
	reporter, _ := target.As[target.RoleReporter](s.Cluster)
	var led, strange atomic.Int64
	nodes := int64(len(s.Nodes()))
	reporter.ReportRoles(func(change target.RoleChange) {
		if change.Leader != "" {
			led.Add(1)
		}
		if int64(change.Node) >= nodes || change.Node < 0 || change.At.IsZero() {
			strange.Add(1)
		}
	})
	err := s.await(ctx, func(context.Context) error {
		if led.Load() == 0 {
			return errors.New("no node reports a leader")
		}
		return nil
	})
	if err != nil || strange.Load() > 0 {
		return wrong("RoleReporter.ReportRoles", "%d changes are of nodes that do not exist or have no time (error: %v)", strange.Load(), err)
	}
	return nil
}

func surveys(ctx context.Context, s *subject) error {
	inspector, _ := target.As[target.FaultInspector](s.Cluster)
	cut := func(want bool, when string) error {
		for _, link := range []fault.Link{{From: 0, To: 1}, {From: 1, To: 0}, {From: fault.Clients, To: 1}, {From: 1, To: fault.Clients}} {
			state, err := inspector.Link(ctx, link.From, link.To)
			if err != nil {
				return wrong("FaultInspector.Link", "the link %s cannot be inspected: %v", link, err)
			}
			if is := state.Rule.Action != fault.Pass; is != want {
				return wrong("FaultInspector.Link", "%s, the rule of the link %s is %q", when, link, state.Rule)
			}
		}
		return nil
	}
	if err := cut(false, "without a fault"); err != nil {
		return err
	}
	err := s.isolated(ctx, 1, func() error { return cut(true, "while node 1 is isolated") })
	if err != nil {
		return err
	}
	if err := cut(false, "after node 1 has rejoined"); err != nil {
		return err
	}
	if target.Can(s.Cluster, target.Links) {
		rule := fault.Rule{Latency: time.Millisecond}
		err := s.ruled(ctx, rule, []fault.Link{{From: 0, To: 1}}, func(target.LinkFaulter) error {
			there, err := inspector.Link(ctx, 0, 1)
			back, backErr := inspector.Link(ctx, 1, 0)
			if err = errors.Join(err, backErr); err != nil || there.Rule != rule || back.Rule != (fault.Rule{}) {
				return wrong("FaultInspector.Link", "the rule of the link 0->1 was set to %q, and is %q, and back %q (error: %v)",
					rule, there.Rule, back.Rule, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	disk, err := inspector.Disk(ctx, 1)
	if err != nil || disk != (fault.Disk{}) {
		return wrong("FaultInspector.Disk", "the disk of node 1 is sound, and reported as %q (error: %v)", disk, err)
	}
	return nil
}

func setsClocks(ctx context.Context, s *subject) error {
	setter, _ := target.As[target.ClockSetter](s.Cluster)
	inspector, inspects := target.As[target.FaultInspector](s.Cluster)
	for _, ahead := range []time.Duration{time.Hour, -time.Hour, 0} {
		if err := setter.SetClock(ctx, 0, ahead); err != nil {
			return wrong("ClockSetter.SetClock", "the clock of node %s cannot be set %v ahead: %v", s.id(0), ahead, err)
		}
		if inspects {
			is, err := inspector.Clock(ctx, 0)
			if off := is - ahead; err != nil || off.Abs() > time.Minute {
				return wrong("ClockSetter.SetClock", "the clock of node %s was set %v ahead, and is %v ahead (error: %v)", s.id(0), ahead, is, err)
			}
		}
		if err := s.level(ctx); err != nil {
			return wrong("ClockSetter.SetClock", "with a clock %v ahead: %v", ahead, err)
		}
	}
	return nil
}

func dials(ctx context.Context, s *subject) error {
	dialer, _ := target.As[target.Dialer](s.Cluster)
	conn, err := dialer.Dial(ctx, 0)
	if err != nil || conn == nil {
		return wrong("Dialer.Dial", "no connection to the sound node %s: %v", s.id(0), err)
	}
	if err := conn.Close(); err != nil {
		return wrong("Dialer.Dial", "a connection cannot be closed: %v", err)
	}
	return nil
}

func setsVersion(ctx context.Context, s *subject) error {
	upgrader, _ := target.As[target.Upgrader](s.Cluster)
	starter, _ := target.As[target.Starter](s.Cluster)
	all := upgrader.Versions()
	if len(all) == 0 {
		return wrong("Upgrader.Versions", "there is no version")
	}
	i := s.ends(ctx)[0]
	if is, err := upgrader.Version(i); err != nil || is != all[len(all)-1] {
		return wrong("Upgrader.Version", "node %s booted with version %q in place of the last of %q (error: %v)", s.id(i), is, all, err)
	}
	for _, version := range []string{all[0], all[len(all)-1]} {
		if err := starter.Stop(ctx, i); err != nil {
			return wrong("Starter.Stop", "node %s cannot be stopped: %v", s.id(i), err)
		}
		set := upgrader.SetVersion(ctx, i, version)
		if err := starter.Start(ctx, i); err != nil {
			return wrong("Starter.Start", "node %s cannot be started with version %s: %v", s.id(i), version, err)
		}
		if is, err := upgrader.Version(i); set != nil || err != nil || is != version {
			return wrong("Upgrader.SetVersion", "node %s was set to version %s, and is %q (errors: %v, %v)", s.id(i), version, is, set, err)
		}
		if err := s.level(ctx); err != nil {
			return wrong("Upgrader.SetVersion", "node %s of version %s does not work with the others: %v", s.id(i), version, err)
		}
	}
	return nil
}
