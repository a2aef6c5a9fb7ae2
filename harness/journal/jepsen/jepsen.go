// Package jepsen reads histories that Jepsen saved (history.edn) as the events of a
// journal, so that package check can judge them.
//
//	:f :txn, [:append k v] and [:r k [v]]     journal.List
//	:f :txn, [:w k v] and [:r k v]            journal.Registers
//	:f :read, :write, :cas                    journal.Register
//	:f :add, :read of a collection            journal.Set
//	:f :add, :read of a number                journal.Counter
//	:f :transfer, :read of a map              journal.Bank
//
// Keys of jepsen.independent are kept. The outcome of an :info, and of an operation without an end, is
// unknown. A :nemesis is a fault event, for people only. Options say what a Jepsen history does not:
// the consistency level of its reads, and the initial balances of a bank.
//
// See https://github.com/jepsen-io/history for the format.
package jepsen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/edn"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Options is information that a history lacks.
type Options struct {
	// Level is the consistency level of the reads; default journal.Strong.
	Level journal.Level
	// Balance is the initial balance of each account of a bank; default the balances of the first
	// read.
	Balance *int64
}

// Read reads a whole history of one workload. The error names the line that is not valid, and the
// reason. It blocks on in.
func Read(in io.Reader, o Options) ([]journal.Event, error) {
	if o.Level == "" {
		o.Level = journal.Strong
	}
	ops, err := readOps(in)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	pairs, err := pair(ops)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	w, err := workloadOf(pairs)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	events, err := w.events(pairs, o)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return events, nil
}

// op is a line of a history.
type op struct {
	line    int
	kind    string // invoke, ok, fail, info
	f       string
	value   any
	process any
	error   any
	at      time.Time
}

// readOps reads the operations, as a sequence or in one vector.
func readOps(in io.Reader) ([]op, error) {
	reader := edn.NewReader(bufio.NewReaderSize(in, 1<<16))
	var ops []op
	clock := clock{}
	for {
		value, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return ops, nil
		}
		if err != nil {
			return nil, err
		}
		values, whole := value.(edn.Vector)
		if !whole {
			values = edn.Vector{value}
		}
		for _, v := range values {
			o, err := opOf(v, reader.Line(), &clock)
			if err != nil {
				return nil, err
			}
			ops = append(ops, o)
		}
	}
}

// clock gives operations distinct times in their order: Jepsen histories are ordered, but their times
// may be equal or absent.
type clock struct{ last int64 }

func (c *clock) at(value any) time.Time {
	now, is := value.(int64)
	if !is || now <= c.last {
		now = c.last + 1
	}
	c.last = now
	return time.Unix(0, now).UTC()
}

func opOf(value any, line int, c *clock) (op, error) {
	if tagged, is := value.(edn.Tagged); is {
		value = tagged.Value
	}
	fields, is := value.(edn.Map)
	if !is {
		return op{}, fmt.Errorf("line %d: an operation is a map, and this is %s", line, short(value))
	}
	o := op{line: line, value: fields.Get("value"), process: fields.Get("process"), error: fields.Get("error")}
	kind, isKind := fields.Get("type").(edn.Keyword)
	f, isF := fields.Get("f").(edn.Keyword)
	if !isKind || !isF || o.process == nil {
		return o, fmt.Errorf("line %d: an operation has a :type, an :f and a :process, and this is %s", line, short(value))
	}
	o.kind, o.f, o.at = string(kind), string(f), c.at(fields.Get("time"))
	switch o.kind {
	case "invoke", "ok", "fail", "info":
		return o, nil
	}
	return o, fmt.Errorf("line %d: the :type is :invoke, :ok, :fail or :info, and this is :%s", line, o.kind)
}

// nemesis distinguishes operations of the nemesis from those of clients.
func (o op) nemesis() bool {
	_, client := o.process.(int64)
	return !client
}

func (o op) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %s", o.line, fmt.Sprintf(format, args...))
}

func short(value any) string {
	const most = 80 // bytes
	text := edn.Text(value)
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// operation is an invocation and its end.
type operation struct {
	invoked op
	ended   op // its kind is empty if there is no end
}

// done returns the line with most information about the operation.
func (o operation) done() op {
	if o.ended.kind == "ok" {
		return o.ended
	}
	return o.invoked
}

func (o operation) outcome() journal.Outcome {
	switch o.ended.kind {
	case "ok":
		return journal.OK
	case "fail":
		return journal.Failed
	}
	return journal.Unknown
}

// pair joins each invocation with the next end of the same process.
func pair(ops []op) ([]operation, error) {
	var pairs []operation
	open := make(map[any]int)
	for _, o := range ops {
		if o.nemesis() {
			pairs = append(pairs, operation{invoked: o})
			continue
		}
		at, under := open[o.process]
		switch {
		case o.kind == "invoke" && under:
			return nil, o.errorf("process %v invokes an operation and has one under way since line %d", o.process, pairs[at].invoked.line)
		case o.kind == "invoke":
			open[o.process] = len(pairs)
			pairs = append(pairs, operation{invoked: o})
		case !under:
			return nil, o.errorf("process %v ends an operation that it did not invoke", o.process)
		case o.f != pairs[at].invoked.f:
			return nil, o.errorf("process %v ends :%s, and what it invoked is :%s", o.process, o.f, pairs[at].invoked.f)
		default:
			pairs[at].ended = o
			delete(open, o.process)
		}
	}
	return pairs, nil
}
