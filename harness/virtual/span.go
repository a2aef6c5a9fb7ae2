package virtual

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// span is the bubble of the spec that runs, while there is one. Ginkgo runs one
// node at a time, but goes on to the next while one hangs.
type span struct {
	settled

	mu        sync.Mutex
	bubble    *bubble
	holds     int     // clean-ups that are to come, of which the last closes the bubble
	releasing bool    // such a clean-up has just run
	broken    error   // why nothing more can run in the bubble
	victim    subject // what it is broken for
}

// subject is what a bubble is for: one attempt at a spec, or an ordered container.
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
	if ctx.Value(inBubble{}) != nil { // a bubble in a bubble is one bubble
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

// enter finds or opens the bubble, and says whether the node is to hold it open.
func (s *span) enter(report types.SpecReport) (b *bubble, hold bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		if s.victim == subjectOf(report) {
			return nil, false, fmt.Errorf("this cannot run any more: %w", s.broken)
		}
		s.broken = nil
	}
	kind := nodeType(report)
	first := s.bubble == nil
	if first {
		s.bubble, s.holds = newBubble(s.scheduleOf(report), s.decisions), 0
	}
	// What a BeforeAll began lasts for several specs, and so must the bubble. Ginkgo
	// knows when a node's own clean-up is due, so every node that may be such a one
	// has one.
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

// nodeType is that of the node that runs now.
func nodeType(report types.SpecReport) types.NodeType {
	for i := len(report.SpecEvents) - 1; i >= 0; i-- {
		if event := report.SpecEvents[i]; event.SpecEventType == types.SpecEventNodeStart {
			return event.NodeType
		}
	}
	return types.NodeTypeInvalid
}

// release is the clean-up of a node that held the bubble open.
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

// leave closes the bubble if nobody holds it.
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

// Elapsed is how long a bubble lasted, by both clocks.
type Elapsed struct{ Virtual, Real time.Duration }

func (b *bubble) elapsed() Elapsed {
	return Elapsed{Virtual: time.Duration(b.virtual.Load()), Real: time.Since(b.begun)}
}

func (e Elapsed) String() string {
	return fmt.Sprintf("%v passed in %v (%.0f times)", e.Virtual.Round(time.Millisecond), e.Real.Round(10*time.Microsecond), float64(e.Virtual)/float64(e.Real))
}
