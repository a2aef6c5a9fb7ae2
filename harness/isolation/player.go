package isolation

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// player sends the steps of a script to the sessions, each after the one before is done or waits.
type player struct {
	story *story
	wait  time.Duration
	steps []*step
	names []string           // of the sessions, in order
	sent  map[string][]*step // by session: the steps that were sent and are not known to be done
	works sync.WaitGroup     // the sessions' goroutines
}

// steps returns the steps of the script, about a table.
func (a Anomaly) steps(table string) (all []*step) {
	for line := range strings.Lines(strings.TrimSpace(a.script)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		all = append(all, &step{session: name, text: strings.ReplaceAll(text, "{t}", table), done: make(chan struct{})})
	}
	return all
}

// players starts the sessions of the steps.
func (o Setting) players(ctx context.Context, s *story, steps []*step) (*player, error) {
	p := &player{story: s, wait: o.Wait, steps: steps, sent: make(map[string][]*step)}
	for _, step := range steps {
		if !slices.Contains(p.names, step.session) {
			p.names = append(p.names, step.session)
		}
	}
	slices.Sort(p.names)
	for i, name := range p.names {
		node, err := o.Cluster.Node(o.Nodes[min(i, len(o.Nodes)-1)])
		if err != nil {
			p.end()
			return nil, err
		}
		t := &session{name: name, node: node, level: o.Level, limit: o.Limit, steps: make(chan *step, len(steps))}
		s.sessions[name] = t
		p.works.Go(func() { t.work(ctx) })
	}
	return p, nil
}

// play sends all steps.
func (p *player) play(ctx context.Context) error {
	for _, step := range p.steps {
		behind := len(p.sent[step.session]) > 0
		p.sent[step.session] = append(p.sent[step.session], step)
		p.story.sessions[step.session].steps <- step
		if !behind {
			p.await(ctx, step)
		}
		p.observe()
		if step.text == "commit" || step.text == "rollback" {
			p.release(ctx)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// await blocks until a step is done, or waits for another transaction.
func (p *player) await(ctx context.Context, step *step) {
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case <-step.done:
	case <-ctx.Done():
	case <-timer.C:
		p.story.waited[step.session] = true
		p.story.tell("%s %s: waits", step.session, step.text)
	}
}

// release lets transactions go on that have waited for one that has ended.
func (p *player) release(ctx context.Context) {
	for _, name := range p.names {
		if waiting := p.sent[name]; len(waiting) > 0 {
			timer := time.NewTimer(p.wait)
			select {
			case <-waiting[len(waiting)-1].done:
			case <-ctx.Done():
			case <-timer.C:
			}
			timer.Stop()
		}
	}
	p.observe()
}

// observe tells of the steps that are done.
func (p *player) observe() {
	for _, name := range p.names {
		for len(p.sent[name]) > 0 && isDone(p.sent[name][0]) {
			step := p.sent[name][0]
			p.sent[name] = p.sent[name][1:]
			p.story.tell("%s %s: %s", step.session, step.text, step.told)
		}
	}
}

func isDone(s *step) bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// end blocks until all sessions have ended.
func (p *player) end() {
	for _, name := range p.names {
		if s := p.story.sessions[name]; s != nil {
			close(s.steps)
		}
	}
	p.works.Wait()
	p.observe()
}
