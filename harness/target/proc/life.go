package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/hosts"
)

// life is the programs of a node from a start to their end.
type life struct {
	node     *node
	programs []*program

	once   sync.Once
	over   chan struct{} // closed when the first program has ended
	reason string        // set before over is closed
}

// program is a program that was started.
type program struct {
	Program
	path    string
	process *hosts.Process
}

// ended tells whether a program has ended.
func (l *life) ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// why says which program has ended first, and how.
func (l *life) why() string {
	<-l.over
	return l.reason
}

// begin starts the programs of a node, and waits until it is ready. node.changing must be held.
func (n *node) begin(ctx context.Context) error {
	c := n.cluster
	v := n.view()
	var err error
	kept := n.kept
	switch {
	case kept != "":
		err = copyFolder(ctx, kept, n.host.Dir())
	case !n.prepared:
		err = n.copyDisk(ctx, v)
	}
	if err == nil {
		err = n.write(ctx, v)
	}
	if err == nil && kept == "" && !n.prepared {
		err = n.prepare(ctx, v)
	}
	if err != nil {
		return fmt.Errorf("start node %s: %w", n.id, err)
	}
	l := &life{node: n, over: make(chan struct{})}
	n.forgetConnections()
	c.mu.Lock()
	n.life, n.reason, n.prepared, n.kept = l, "", true, ""
	c.mu.Unlock()
	err = l.start(ctx, v)
	if err == nil {
		err = l.await(ctx, c.database.Ready)
	}
	c.mu.Lock()
	n.bootstrap, n.joining = false, n.joining && err != nil
	c.mu.Unlock()
	if err == nil {
		return nil
	}
	said, _ := n.host.Log(2000)
	err = errors.Join(fmt.Errorf("start node %s: %w; the end of its log:\n%s", n.id, err, said), l.kill(c.life.Context()))
	n.down("it failed to start")
	return err
}

// down records why the node does not run.
func (n *node) down(reason string) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	n.reason, n.paused = reason, false
}

// copyDisk copies Database.Disk to an empty disk.
func (n *node) copyDisk(ctx context.Context, v View) error {
	from, err := fill(n.cluster.database.Disk, v)
	if err != nil || from == "" {
		return err
	}
	return copyFolder(ctx, from, n.host.Dir())
}

// write writes the files of a node.
func (n *node) write(ctx context.Context, v View) error {
	for path, content := range n.cluster.database.Files {
		path, err := fill(path, v)
		if err != nil {
			return err
		}
		text, err := fill(content, v)
		if err != nil {
			return err
		}
		path = filepath.Join(n.host.Dir(), path)
		err = os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			return fmt.Errorf("write a file: %w", err)
		}
	}
	return n.refresh(ctx)
}

// refresh has the node's programs see what this process has written to its disk.
func (n *node) refresh(ctx context.Context) error {
	if err := n.host.RefreshDisk(ctx); err != nil && !errors.Is(err, hosts.ErrNoDisk) {
		return err
	}
	return nil
}

// prepare runs the programs before the first start.
func (n *node) prepare(ctx context.Context, v View) error {
	for _, p := range n.cluster.database.Prepare {
		command, err := p.command(v)
		if err == nil {
			_, err = n.output(ctx, command)
		}
		if err != nil {
			return fmt.Errorf("prepare its disk: %w", err)
		}
	}
	return nil
}

// command is a program with its templates filled in.
func (p Program) command(v View) (command hosts.Command, err error) {
	if command.Path, err = fill(p.Path, v); err != nil {
		return command, err
	}
	if command.Args, err = fillAll(p.Args, v); err != nil {
		return command, err
	}
	if command.Env, err = fillAll(p.Env, v); err != nil {
		return command, err
	}
	command.Dir, err = fill(p.Dir, v)
	return command, err
}

// start starts the programs, in order.
func (l *life) start(ctx context.Context, v View) error {
	n := l.node
	for _, p := range n.cluster.database.Programs {
		command, err := p.command(v)
		if err != nil {
			return err
		}
		command.Env = append(os.Environ(), command.Env...)
		process, err := n.host.Start(ctx, command)
		if err != nil {
			return err
		}
		started := &program{p, command.Path, process}
		n.cluster.mu.Lock()
		l.programs = append(l.programs, started)
		n.cluster.mu.Unlock()
		n.cluster.watching.Go(func() { l.watch(started) })
		if err := l.await(ctx, p.Ready); err != nil {
			return err
		}
	}
	return nil
}

// watch waits for the end of a program.
func (l *life) watch(p *program) {
	<-p.process.Done()
	exit, err := p.process.Wait(context.Background()) // it has ended
	l.once.Do(func() {
		l.reason = fmt.Sprintf("%s: %v", filepath.Base(p.path), exit)
		if err != nil {
			l.reason = fmt.Sprintf("%s: %v", filepath.Base(p.path), err)
		}
		close(l.over)
	})
}

const (
	probeEvery = 5 * time.Millisecond
	probeMost  = time.Second
)

// await asks a probe until it returns nil, ctx ends, or a program of the node ends.
func (l *life) await(ctx context.Context, probe func(context.Context, *Node) error) error {
	if probe == nil {
		return nil
	}
	for {
		asked := time.Now()
		brief, cancel := context.WithTimeout(ctx, probeMost)
		err := probe(brief, l.node.own())
		cancel()
		if err == nil && !l.ended() {
			return nil
		}
		select {
		case <-l.over:
			return fmt.Errorf("it ended before it was ready: %s", l.why())
		case <-ctx.Done():
			return fmt.Errorf("it is not ready: %w; last: %w", context.Cause(ctx), err)
		case <-time.After(pause(probeEvery, time.Since(asked))):
		}
	}
}

// all are the programs that were started.
func (l *life) all() []*program {
	l.node.cluster.mu.Lock()
	defer l.node.cluster.mu.Unlock()
	return l.programs[:len(l.programs):len(l.programs)]
}

// stop stops the programs in the opposite order, and kills what does not stop before ctx ends.
func (l *life) stop(ctx context.Context, v View) error {
	programs := l.all()
	var err error
	for i := len(programs) - 1; i >= 0 && err == nil; i-- {
		if err = l.stopProgram(ctx, programs[i], v); err != nil {
			err = fmt.Errorf("%s was killed: %w", programs[i].path, err)
		}
	}
	return errors.Join(err, l.kill(l.node.cluster.life.Context()))
}

func (l *life) stopProgram(ctx context.Context, p *program, v View) error {
	select {
	case <-p.process.Done():
		return nil
	default:
	}
	if p.StopPath != "" {
		stopping := Program{Path: p.StopPath, Args: p.StopArgs, Env: p.Env, Dir: p.Dir}
		command, err := stopping.command(v)
		if err != nil {
			return err
		}
		if _, err := l.node.output(ctx, command); err != nil {
			return err
		}
	} else {
		signal := p.Signal
		if signal == nil {
			signal = syscall.SIGTERM
		}
		if err := p.process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
	}
	_, err := p.process.Wait(ctx)
	return err
}

// kill kills everything on the host, and waits until it has ended.
func (l *life) kill(ctx context.Context) error {
	err := l.node.host.Kill(ctx)
	if err != nil {
		return err
	}
	for _, p := range l.all() {
		if _, e := p.process.Wait(ctx); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}
