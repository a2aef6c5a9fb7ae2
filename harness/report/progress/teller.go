package progress

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Variable is the environment variable with the path of the file for events.
const Variable = "LIVE_PROGRESS"

// Teller says how far a work is. A nil Teller says nothing. It is safe for concurrent use, and no method waits for a reader.
type Teller struct {
	mu     sync.Mutex
	file   *os.File
	failed error // the first
}

// Open returns the teller that the environment asks for by Variable, or nil if it asks for none. lookup is os.LookupEnv. Close must
// follow.
func Open(lookup func(string) (string, bool)) (*Teller, error) {
	path, _ := lookup(Variable)
	if path == "" {
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("open the file of %s, where progress is said: %w", Variable, err)
	}
	return &Teller{file: file}, nil
}

// Without returns the environment without Variable: for a program whose own progress is not to be shown.
func Without(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool { return strings.HasPrefix(entry, Variable+"=") })
}

// Title says what follows is about. Work that is under way is over.
func (t *Teller) Title(text string) { t.tell(Event{Kind: Titled, Text: text}) }

// Begin begins a work. Work that is under way is over.
func (t *Teller) Begin(w Work) { t.tell(Event{Kind: Begun, Work: &w}) }

// Say says more about the work in a few words, in place of what was said last.
func (t *Teller) Say(text string) { t.tell(Event{Kind: Said, Text: text}) }

// Start says that the worker is at a part of the work. A worker is at one part at a time.
func (t *Teller) Start(worker int, part string) {
	t.tell(Event{Kind: Starts, Worker: worker, Text: part})
}

// End says that the worker has ended a part, how, and how long it took.
func (t *Teller) End(worker int, part string, how Outcome, took time.Duration) {
	t.tell(Event{Kind: Ends, Worker: worker, Text: part, Outcome: how, Took: took})
}

// Close returns why something could not be said, if so.
func (t *Teller) Close() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.file.Close()
	if t.failed != nil {
		return fmt.Errorf("say how far the work is: %w", t.failed)
	}
	return err
}

func (t *Teller) tell(e Event) {
	if t == nil {
		return
	}
	line, err := json.Marshal(e)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		_, err = t.file.Write(append(line, '\n')) // one write, so that lines of several processes do not mix
	}
	if t.failed == nil {
		t.failed = err
	}
}
