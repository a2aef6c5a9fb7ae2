package replay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// wordsOfDecision is how many words the runtime writes for a decision.
const wordsOfDecision = 5

// mostDecisions is how many decisions of a bubble are recorded; 40 bytes each.
const mostDecisions = 1 << 20

// Decision is one step of a bubble's scheduler: the token went from one goroutine to
// another. Goroutines are numbered as they are made; 0 is the bubble's root.
type Decision struct {
	At       time.Time // virtual
	From, To uint64
	Reason   uint64 // why From waits, as the runtime numbers it; 0 if it yielded or ended
	Waiting  uint64 // how many more could have run
	Starts   string // the function that To began with
	Drawn    uint32 // a digest of what was drawn so far
}

func (d Decision) String() string {
	return fmt.Sprintf("%s %08x goroutine %d (%s), %d more ready; from goroutine %d, reason %d", d.At.Format("15:04:05.000000000"), d.Drawn, d.To, d.Starts, d.Waiting, d.From, d.Reason)
}

// Recording is the record of the decisions of one bubble.
type Recording struct{ words, draws []uint64 }

// wordsOfDraw is how many words the runtime writes for a draw: the decision that came
// last, and the callers.
const wordsOfDraw = 10

// Record records the decisions of the caller's bubble from now on, the first 4 million of
// them. It returns nil if the binary is not Exact. If showAt is not 0, the stacks of the
// two goroutines of that decision are printed on standard error when it is made.
func Record(showAt uint64) *Recording {
	if hooks == nil {
		return nil
	}
	r := &Recording{words: make([]uint64, mostDecisions*wordsOfDecision)}
	hooks.record(r.words, nil, showAt)
	return r
}

// RecordDraws is Record, and also records who draws random numbers of the bubble: the
// first 500,000 draws. It is slow.
func RecordDraws() *Recording {
	if hooks == nil {
		return nil
	}
	const most = 500_000
	r := &Recording{words: make([]uint64, mostDecisions*wordsOfDecision), draws: make([]uint64, most*wordsOfDraw)}
	hooks.record(r.words, r.draws, 0)
	return r
}

// writeDraws writes a line for each draw: the number of the decision before it, and who drew.
func (r *Recording) writeDraws(w *bufio.Writer, n int) error {
	for i := 0; i+wordsOfDraw <= n; i += wordsOfDraw {
		e := r.draws[i : i+wordsOfDraw]
		if _, err := fmt.Fprintf(w, "draw %d", e[0]); err != nil {
			return err
		}
		for _, pc := range e[1:] {
			if f := runtime.FuncForPC(uintptr(pc)); pc != 0 && f != nil {
				_, line := f.FileLine(uintptr(pc) - 1)
				fmt.Fprintf(w, " %s:%d", f.Name(), line)
			}
		}
		fmt.Fprintln(w)
	}
	return nil
}

// Write writes what was recorded so far, a line for each decision. It must be called in
// the bubble.
func (r *Recording) Write(to io.Writer) error {
	if r == nil {
		return nil
	}
	_, _, _, _, n, drawn := hooks.state()
	w := bufio.NewWriter(to)
	names := make(map[uint64]string)
	for i := 0; i < n; i += wordsOfDecision {
		e := r.words[i : i+wordsOfDecision]
		name, known := names[e[3]]
		if !known {
			name = "?"
			if f := runtime.FuncForPC(uintptr(e[3])); f != nil {
				name = f.Name()
			}
			names[e[3]] = name
		}
		d := Decision{At: time.Unix(0, int64(e[0])).UTC(), From: e[1] >> 32, To: e[1] & (1<<32 - 1), Reason: e[2] >> 32, Waiting: e[2] & (1<<32 - 1), Starts: name, Drawn: uint32(e[4])}
		if _, err := fmt.Fprintln(w, d); err != nil {
			return err
		}
	}
	if err := r.writeDraws(w, drawn); err != nil {
		return err
	}
	return w.Flush()
}

// WriteFile writes what was recorded so far to a file. It must be called in the bubble.
func (r *Recording) WriteFile(path string) (err error) {
	if r == nil {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the decisions of a bubble: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return r.Write(file)
}

// ShowAt is a number of a decision from text, or 0.
func ShowAt(text string) uint64 {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
