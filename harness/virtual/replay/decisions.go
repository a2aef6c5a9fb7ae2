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

// An entry of a record, as the runtime writes it.
const (
	wordsOfEntry = 16
	stackOfEntry = 5 // where the stack begins
	drew         = 1 << 63
	mostEntries  = 1 << 22
)

// Recording is the record of what the scheduler of one bubble decided, and of what was
// drawn from the bubble's random numbers. Two runs are the same up to the first line at
// which their records differ. It is not safe for concurrent use.
type Recording struct {
	words  []uint64
	missed uint64 // entries that had no room
}

// Record records the decisions and draws of the caller's bubble from now on, the first 4
// million of them, in up to 512 MiB of memory. A run takes several times as long
// meanwhile, and is the same. It returns nil if the binary is not Exact.
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

// Write writes a line for each decision and each draw, once the recording has stopped. A
// decision has its virtual time, a digest of all that was drawn, which
// goroutine goes on, the function that it began with, how many more could have gone on,
// and which goroutine ran before, with its stack. Goroutines are numbered as they are
// made; 0 is the bubble's root. A draw has its time, the goroutine and its stack.
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
	return w.Flush() // which returns the first error of all writes
}

// WriteFile writes the record to a file, compressed by gzip, once the recording has stopped.
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

// functions are the names of functions and lines by addresses.
type functions map[uint64]string

func (f functions) write(w io.Writer, e []uint64) {
	at := time.Unix(0, int64(e[0])).UTC().Format("15:04:05.000000000")
	if e[1]&drew != 0 {
		fmt.Fprintf(w, "%s goroutine %d draws%s\n", at, e[1]&^drew, f.stack(e[stackOfEntry:]))
		return
	}
	from, to, reason, ready := e[1]>>32, e[1]&(1<<32-1), e[2]>>32, e[2]&(1<<32-1)
	fmt.Fprintf(w, "%s %08x goroutine %d (%s) goes on, %d more could; goroutine %d stopped (%d)%s\n",
		at, uint32(e[4]), to, f.name(e[3]), ready, from, reason, f.stack(e[stackOfEntry:]))
}

func (f functions) name(entry uint64) string {
	if function := runtime.FuncForPC(uintptr(entry)); function != nil {
		return function.Name()
	}
	return "?"
}

// stack is a stack as text, the innermost call first.
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
