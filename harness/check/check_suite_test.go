package check_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/journal"
)

func TestCheck(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Check")
}

var begun = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// happened is an operation that began and ended so many milliseconds after the history.
func happened(client, from, to int, outcome journal.Outcome, model journal.Model, level journal.Level,
	steps ...journal.Step) journal.Event {
	return journal.Event{At: begun.Add(time.Duration(from) * time.Millisecond), Took: time.Duration(to-from) * time.Millisecond,
		Kind: journal.Operation, Node: journal.None, Op: &journal.Op{Client: client, Outcome: outcome, Model: model, Level: level,
			Steps: steps}}
}

// final is a read of everything, at rest.
func final(node int, model journal.Model, steps ...journal.Step) journal.Event {
	e := happened(journal.None, 1000+node, 1001+node, journal.OK, model, journal.Local, steps...)
	e.Node, e.Op.Final = node, true
	return e
}

func read(key string, got ...int64) journal.Step {
	if got == nil {
		got = []int64{}
	}
	return journal.Step{Do: journal.Read, Key: key, Got: got}
}

func do(what journal.Do, key string, value int64) journal.Step {
	return journal.Step{Do: what, Key: key, Value: value}
}

func cas(old, value, matched int64) journal.Step {
	return journal.Step{Do: journal.CAS, Key: "x", Old: old, Value: value, Got: []int64{matched}}
}

type history = []journal.Event
