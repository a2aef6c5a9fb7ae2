package replay

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// The layout of a record entry, as the runtime writes it.
const (
	wordsOfEntry = 16
	stackOfEntry = 5 // first word of the stack
	drew         = 1 << 63
	mostEntries  = 1 << 22
)

// Recording is the record of the scheduling decisions of one bubble and of its random draws. Two runs are equal up
// to the first line in which their records differ. It is not safe for concurrent use.
type Recording struct {
	words  []uint64
	missed uint64 // entries that did not fit
}

// Record starts recording the decisions and draws of the caller's bubble: the first 4 million, in up to 512 MiB of
// memory. Recording slows a run down several times but does not change it. Record returns nil if the binary is
// not [Exact]; the methods of a nil Recording do nothing.
func Record() *Recording {
	if hooks == nil {
		return nil
	}
	r := &Recording{words: make([]uint64, mostEntries*wordsOfEntry)}
	hooks.record(r.words)
	return r
}

// Stop ends the recording. It must be called in the bubble.
func (r *Recording) Stop() {
	if r == nil {
		return
	}
	var n int
	_, _, _, _, n, r.missed = hooks.state()
	hooks.record(nil)
	r.words = r.words[:n]
}

// Write writes one line for each decision and each draw. Call it after Stop. A decision has its virtual time, a
// digest of all draws so far, the goroutine that runs next, that goroutine's entry function, the number of other
// runnable goroutines, and the goroutine that ran before, with its stack. A draw has its time, the goroutine and its
// stack. Goroutines are numbered in order of creation; 0 is the bubble's root.
func (r *Recording) Write(to io.Writer) error {
	if r == nil {
		return nil
	}
	names := make(functions)
	w := bufio.NewWriter(to)
	for i := 0; i < len(r.words); i += wordsOfEntry {
		names.write(w, r.words[i:i+wordsOfEntry])
	}
	if r.missed > 0 {
		fmt.Fprintf(w, "%d more were not recorded\n", r.missed)
	}
	return w.Flush() // returns the first error of all writes
}

// WriteFile writes the record to a gzip file. Call it after Stop.
func (r *Recording) WriteFile(path string) (err error) {
	if r == nil {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the decisions of a bubble: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	compressed, err := gzip.NewWriterLevel(file, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := r.Write(compressed); err != nil {
		return fmt.Errorf("write the decisions of a bubble: %w", err)
	}
	return compressed.Close()
}

// functions caches the text of stack frames by address.
type functions map[uint64]string

func (f functions) write(w io.Writer, e []uint64) {
	at := time.Unix(0, int64(e[0])).UTC().Format("15:04:05.000000000")
	if e[1]&drew != 0 {
		fmt.Fprintf(w, "%s goroutine %d draws%s\n", at, e[1]&^drew, f.stack(e[stackOfEntry:]))
		return
	}
	from, to, reason, ready := e[1]>>32, e[1]&(1<<32-1), e[2]>>32, e[2]&(1<<32-1)
	fmt.Fprintf(w, "%s %08x goroutine %d (%s) runs, of %d more that could; goroutine %d stopped (%d)%s\n",
		at, uint32(e[4]), to, f.name(e[3]), ready, from, reason, f.stack(e[stackOfEntry:]))
}

func (f functions) name(entry uint64) string {
	if function := runtime.FuncForPC(uintptr(entry)); function != nil {
		return function.Name()
	}
	return "?"
}

// stack formats a stack, innermost call first.
func (f functions) stack(addresses []uint64) string {
	var text strings.Builder
	for _, address := range addresses {
		if address == 0 {
			break
		}
		text.WriteString(" < " + f.line(address))
	}
	return text.String()
}

func (f functions) line(address uint64) string {
	text, known := f[address]
	if !known {
		frame, _ := runtime.CallersFrames([]uintptr{uintptr(address)}).Next()
		text = fmt.Sprintf("%s:%d", frame.Function, frame.Line)
		f[address] = text
	}
	return text
}
