// Command hostile applies the statements of fixtures/hostile to a state machine. It prints how long each took, and the
// peak resident memory of the process during it (Linux only).
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/hostile"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

func main() {
	only := flag.String("only", "", "regular expression that selects statements by CLASS: NAME; default all")
	worst := flag.Int("worst", 20, "how many of the slowest and of the largest statements to print")
	reads := flag.Bool("reads", false, "run statements that only read as reads")
	verbose := flag.Bool("v", false, "print each statement as it runs")
	flag.Parse()
	if err := run(*only, *worst, *reads, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// measure is the cost of one statement.
type measure struct {
	statement hostile.Statement
	took      time.Duration
	cpu       time.Duration // CPU time of the process
	resident  int64         // peak resident memory of the process in bytes; 0 if unknown
	err       error
}

func run(only string, worst int, reads, verbose bool) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	statements, err := hostile.Load()
	if err != nil {
		return err
	}
	var measures []measure
	for len(statements) > 0 {
		class := statements[0].Class
		end := slices.IndexFunc(statements, func(s hostile.Statement) bool { return s.Class != class })
		if end < 0 {
			end = len(statements)
		}
		of, err := runClass(statements[:end], pattern, reads, verbose)
		if err != nil {
			return fmt.Errorf("class %s: %w", class, err)
		}
		measures, statements = append(measures, of...), statements[end:]
	}
	report(measures, worst)
	return nil
}

func runClass(statements []hostile.Statement, pattern *regexp.Regexp, reads, verbose bool) (measures []measure, err error) {
	dir, err := os.MkdirTemp("", "hostile-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m, err := machine.Open(dir, machine.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	log := &log{machine: m}
	base, err := hostile.Base()
	if err != nil {
		return nil, err
	}
	for _, sql := range base {
		if err := log.apply(sql); err != nil {
			return nil, err
		}
	}
	for _, s := range statements {
		if !pattern.MatchString(s.String()) {
			continue
		}
		for _, sql := range s.Setup {
			_ = log.apply(sql) // it may be rejected
		}
		forget()
		begun, spent := time.Now(), cpu()
		err := log.do(s.SQL, reads)
		measured := measure{statement: s, took: time.Since(begun), cpu: cpu() - spent, resident: resident(), err: err}
		if failed := m.Failed(); failed != nil {
			return nil, fmt.Errorf("%v: %w", s, failed)
		}
		measures = append(measures, measured)
		if verbose {
			fmt.Println(measured)
		}
	}
	return measures, nil
}

// log is the log of one node.
type log struct {
	machine *machine.Machine
	index   uint64
}

func (l *log) apply(sql string) error {
	l.index++
	data, err := machine.Entry{SQL: sql, Time: 1_700_000_000_000}.Encode()
	if err != nil {
		return err
	}
	return l.machine.Apply(&raft.Log{Index: l.index, Term: 1, Type: raft.LogCommand, Data: data}).(machine.Response).Err
}

func (l *log) do(sql string, reads bool) error {
	statements, err := sqltext.Split(sql)
	if err != nil {
		return err
	}
	if !reads || slices.ContainsFunc(statements, func(s sqltext.Statement) bool { return !s.Reads() }) {
		return l.apply(sql)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	view, err := l.machine.View(ctx)
	if err != nil {
		return err
	}
	for _, s := range statements {
		rows, _, err := view.Query(ctx, s, nil)
		for err == nil {
			_, err = rows.Next()
		}
		if rows != nil {
			err = errors.Join(err, rows.Close())
		}
		if err != nil {
			return errors.Join(err, view.Close())
		}
	}
	return view.Close()
}

func (m measure) String() string {
	words := "ok"
	if m.err != nil {
		words = strings.SplitN(m.err.Error(), "\n", 2)[0]
	}
	return fmt.Sprintf("%8.3fs cpu %8.3fs %5d MiB  %-55v %.90s", m.took.Seconds(), m.cpu.Seconds(), m.resident>>20, m.statement, words)
}

func report(measures []measure, worst int) {
	fmt.Printf("%d statements\nthe slowest:\n", len(measures))
	slices.SortFunc(measures, func(a, b measure) int { return cmp.Compare(b.cpu, a.cpu) })
	for _, m := range measures[:min(worst, len(measures))] {
		fmt.Println(m)
	}
	fmt.Println("the largest:")
	slices.SortFunc(measures, func(a, b measure) int { return cmp.Compare(b.resident, a.resident) })
	for _, m := range measures[:min(worst, len(measures))] {
		fmt.Println(m)
	}
}

// cpu returns the CPU time of the process so far.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// forget resets the peak resident memory of the process.
func forget() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

func resident() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
