package virtual

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// span is the bubble of the current spec, if there is one. Ginkgo runs one node at a time, but starts the next if one
// hangs.
type span struct {
	settled

	mu        sync.Mutex
	bubble    *bubble
	holds     int     // pending clean-ups; the last one closes the bubble
	releasing bool    // a clean-up has just run
	broken    error   // why the bubble can run nothing more
	victim    subject // the subject of the broken bubble
}

// subject is what a bubble belongs to: one attempt at a spec, or an ordered container.
type subject struct {
	begun     time.Time
	attempt   int
	container string
}

func subjectOf(report types.SpecReport) subject {
	if report.IsInOrderedContainer {
		return subject{container: report.ContainerHierarchyLocations[0].String()}
	}
	return subject{begun: report.StartTime, attempt: report.NumAttempts}
}

// around runs a node in the bubble.
func (s *span) around(ctx context.Context, body func(context.Context)) {
	if ctx.Value(inBubble{}) != nil { // nested bubbles are one bubble
		body(ctx)
		return
	}
	report := ginkgo.CurrentSpecReport()
	b, hold, err := s.enter(report)
	if err != nil {
		ginkgo.Fail(err.Error())
	}
	if hold {
		ginkgo.DeferCleanup(s.release, report.LeafNodeLocation)
	}
	if attach, can := ctx.(interface {
		AttachProgressReporter(func() string) func()
	}); can {
		defer attach.AttachProgressReporter(func() string { return "In the bubble:\n" + b.goroutines().String() })()
	}
	result := s.run(b, newJob(ctx, body, s.limits), subjectOf(report))
	if err := s.leave(); err != nil && result.hung == nil {
		result.hung = err
	}
	if result.panicked == nil && result.hung != nil {
		ginkgo.Fail(result.hung.Error())
	}
	result.resume()
}

// enter finds or opens the bubble, and reports whether the node must hold it open.
func (s *span) enter(report types.SpecReport) (b *bubble, hold bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		if s.victim == subjectOf(report) {
			return nil, false, fmt.Errorf("the bubble of this spec is broken: %w", s.broken)
		}
		s.broken = nil
	}
	kind := nodeType(report)
	first := s.bubble == nil
	if first {
		s.bubble, s.holds = newBubble(s.scheduleOf(report), s.decisions), 0
	}
	// The effects of a BeforeAll last for several specs, and so must the bubble. Ginkgo knows when the clean-ups of a
	// node are due, so every node that may be the first to need the bubble gets a clean-up.
	hold = kind.Is(mayHold) && (first || report.IsInOrderedContainer && kind.Is(before))
	if hold {
		s.holds++
	}
	return s.bubble, hold, nil
}

const (
	before  = types.NodeTypeBeforeEach | types.NodeTypeJustBeforeEach | types.NodeTypeBeforeAll
	mayHold = before | types.NodeTypeIt | types.NodeTypeAfterEach | types.NodeTypeJustAfterEach | types.NodeTypeAfterAll |
		types.NodeTypeBeforeSuite | types.NodeTypeSynchronizedBeforeSuite | types.NodeTypeAfterSuite | types.NodeTypeSynchronizedAfterSuite
)

// nodeType returns the type of the current node.
func nodeType(report types.SpecReport) types.NodeType {
	for i := len(report.SpecEvents) - 1; i >= 0; i-- {
		if event := report.SpecEvents[i]; event.SpecEventType == types.SpecEventNodeStart {
			return event.NodeType
		}
	}
	return types.NodeTypeInvalid
}

// release is the clean-up of a node that holds the bubble open.
func (s *span) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.releasing = true
}

func (s *span) run(b *bubble, j *job, of subject) outcome {
	err := b.submit(j)
	if err == nil {
		result := j.await()
		if result.hung != nil {
			result.hung = fmt.Errorf("%w; in the bubble:\n%s", result.hung, b.goroutines())
		}
		return result
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken, s.victim = err, of
	s.bubble, s.holds = nil, 0
	return outcome{hung: fmt.Errorf("%w; in it:\n%s", err, b.goroutines())}
}

// leave closes the bubble if no clean-up is pending.
func (s *span) leave() error {
	b := s.unhold()
	if b == nil {
		return nil
	}
	err := b.close()
	fmt.Fprintln(ginkgo.GinkgoWriter, "virtual time:", b.elapsed())
	return err
}

func (s *span) unhold() *bubble {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.releasing {
		s.releasing = false
		s.holds--
	}
	if s.holds > 0 {
		return nil
	}
	b := s.bubble
	s.bubble = nil
	return b
}

// Elapsed is the duration of a bubble in virtual and in real time.
type Elapsed struct{ Virtual, Real time.Duration }

func (b *bubble) elapsed() Elapsed {
	return Elapsed{Virtual: time.Duration(b.virtual.Load()), Real: time.Since(b.begun)}
}

func (e Elapsed) String() string {
	times := float64(e.Virtual) / float64(e.Real)
	return fmt.Sprintf("%v passed in %v (%.0f times)", e.Virtual.Round(time.Millisecond), e.Real.Round(10*time.Microsecond), times)
}
