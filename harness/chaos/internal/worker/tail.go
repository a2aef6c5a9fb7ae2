package worker

import (
	"bytes"
	"strings"
	"sync"
)

// tail keeps the beginning of the last panic of what is written, or else the end.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const longestTail = 64 << 10 // bytes

var panics = []byte("panic: ")

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if cut := len(t.text) - longestTail; cut > 0 && !bytes.Contains(t.text, panics) {
		t.text = t.text[cut:]
	}
	if len(t.text) > 2*longestTail {
		t.text = t.text[:2*longestTail]
	}
	return len(p), nil
}

// end returns at most a screen of it.
func (t *tail) end() string {
	const most = 30 // lines
	t.mu.Lock()
	defer t.mu.Unlock()
	text := string(t.text)
	if at := strings.Index(text, string(panics)); at >= 0 {
		lines := strings.Split(text[at:], "\n")
		return strings.Join(lines[:min(len(lines), most)], "\n")
	}
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(len(lines)-most, 0):], "\n")
}
