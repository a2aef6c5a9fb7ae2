package matchers

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Patience is the timeout of one evaluation of a matcher.
const Patience = 5 * time.Second

// question evaluates a matcher: whether it holds, and what it found, in words.
type question[T any] func(ctx context.Context, actual T) (holds bool, found string, err error)

// matcher is a predicate on a T.
type matcher[T any] struct {
	sentence string // "be online"
	question question[T]
	found    string
	subject  string
}

func newMatcher[T any](sentence string, question question[T]) types.GomegaMatcher {
	return &matcher[T]{sentence: sentence, question: question}
}

// Match evaluates the matcher. An actual of the wrong type, or one that cannot be asked, is an
// error, which fails a negated assertion, too.
func (m *matcher[T]) Match(actual any) (bool, error) {
	subject, ok := actual.(T)
	if !ok {
		return false, fmt.Errorf("a matcher to %s takes a %v, not a %T", m.sentence, reflect.TypeFor[T](), actual)
	}
	if v := reflect.ValueOf(actual); v.Kind() == reflect.Pointer && v.IsNil() {
		return false, fmt.Errorf("a matcher to %s takes a %v, not nil", m.sentence, reflect.TypeFor[T]())
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	holds, found, err := m.question(ctx, subject)
	m.subject, m.found = name(subject), found
	if err == nil {
		m.record(actual, holds)
	}
	return holds, err
}

// record notes in the cluster's journal that the sentence did not hold, so that the journal shows
// what an Eventually waited for.
func (m *matcher[T]) record(actual any, holds bool) {
	switch subject := actual.(type) {
	case *harness.Node:
		subject.Cluster().Journal().Polled(subject.Index(), m.sentence, holds, m.found)
	case *harness.Cluster:
		subject.Journal().Polled(journal.None, m.sentence, holds, m.found)
	}
}

func (m *matcher[T]) FailureMessage(any) string {
	return fmt.Sprintf("Expected %s to %s, but %s", m.subject, m.sentence, m.found)
}

func (m *matcher[T]) NegatedFailureMessage(any) string {
	return fmt.Sprintf("Expected %s not to %s, but %s", m.subject, m.sentence, m.found)
}

func name(subject any) string {
	switch s := subject.(type) {
	case *harness.Node:
		return s.String()
	case *harness.Cluster:
		return fmt.Sprintf("the cluster of %d nodes", s.Size())
	}
	return fmt.Sprintf("%T", subject)
}
