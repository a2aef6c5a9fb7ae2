package harness

import (
	"errors"
	"slices"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Wordless returns one sentence for each statement that was not sent to a node because the database has no words for it, in
// the order in which they were met first: the messages of errors of kind target.ErrNoWords. It does not block.
func (c *Cluster) Wordless() []string { return c.wordless.all() }

// wordless collects sentences.
type wordless struct {
	mu        sync.Mutex
	sentences []string
}

func (w *wordless) note(err error) {
	var e *target.Error
	if !errors.As(err, &e) || !errors.Is(e.Kind, target.ErrNoWords) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.sentences, e.Message) {
		w.sentences = append(w.sentences, e.Message)
	}
}

func (w *wordless) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sentences)
}
