package jepsen

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness/internal/edn"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// steps returns the steps of an operation.
func (w workload) steps(p operation) ([]journal.Step, error) {
	switch {
	case p.invoked.f == "txn":
		return w.transaction(p)
	case w.model == journal.Bank && p.invoked.f == "transfer":
		return transfer(p.invoked)
	case w.model == journal.Bank:
		return balances(p)
	case p.invoked.f == "read":
		return w.read(p)
	}
	return w.change(p)
}

func (w workload) transaction(p operation) ([]journal.Step, error) {
	o := p.done()
	values, is := o.value.(edn.Vector)
	if !is {
		return nil, o.errorf("a :txn is a vector of steps, and this is %s", short(o.value))
	}
	var steps []journal.Step
	for _, v := range values {
		s, is := v.(edn.Vector)
		if !is || len(s) != 3 {
			return nil, o.errorf("a step of a :txn is [:f key value], and this is %s", short(v))
		}
		step := journal.Step{Key: edn.Text(s[1])}
		var err error
		switch {
		case s[0] == edn.Keyword("r"):
			step.Do = journal.Read
			if o.kind == "ok" {
				step.Got, err = w.got(o, s[2])
			}
		case s[0] == edn.Keyword("append") && w.model == journal.List:
			step.Do = journal.Append
			step.Value, err = whole(o, s[2])
		case s[0] == edn.Keyword("w") && w.model == journal.Registers:
			step.Do = journal.Write
			step.Value, err = whole(o, s[2])
		default:
			err = o.errorf("a :txn over a %s has no step %s", w.model, short(v))
		}
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// got returns the result of a read: one value, or a collection.
func (w workload) got(o op, value any) ([]int64, error) {
	var values []any
	switch v := value.(type) {
	case nil:
	case edn.Vector:
		values = v
	case edn.Set:
		values = v
	default:
		values = []any{v}
	}
	got := make([]int64, len(values))
	for i, v := range values {
		var err error
		if got[i], err = whole(o, v); err != nil {
			return nil, err
		}
	}
	return got, nil
}

func (w workload) read(p operation) ([]journal.Step, error) {
	key, value, err := w.keyed(p.done())
	if err != nil {
		return nil, err
	}
	step := journal.Step{Do: journal.Read, Key: key}
	if p.outcome() == journal.OK {
		if step.Got, err = w.got(p.ended, value); err != nil {
			return nil, err
		}
	}
	return []journal.Step{step}, nil
}

// change returns the step of a write, a compare-and-set or an addition.
func (w workload) change(p operation) ([]journal.Step, error) {
	o := p.invoked
	key, value, err := w.keyed(o)
	if err != nil {
		return nil, err
	}
	step := journal.Step{Key: key}
	switch {
	case o.f == "cas":
		pair, is := asPair(value)
		if !is {
			return nil, o.errorf("a :cas is [old new], and this is %s", short(value))
		}
		step.Do = journal.CAS
		if step.Old, err = whole(o, pair[0]); err == nil {
			step.Value, err = whole(o, pair[1])
		}
		if p.outcome() == journal.OK {
			step.Got = []int64{1}
		}
		return []journal.Step{step}, err
	case o.f == "write":
		step.Do = journal.Write
	case w.model == journal.Counter:
		step.Do = journal.Increment
	default:
		step.Do = journal.Add
	}
	step.Value, err = whole(o, value)
	return []journal.Step{step}, err
}

func transfer(o op) ([]journal.Step, error) {
	fields, is := o.value.(edn.Map)
	if !is || fields.Get("from") == nil || fields.Get("to") == nil {
		return nil, o.errorf("a :transfer is {:from a, :to b, :amount n}, and this is %s", short(o.value))
	}
	amount, err := whole(o, fields.Get("amount"))
	if err != nil {
		return nil, err
	}
	return []journal.Step{
		{Do: journal.Increment, Key: edn.Text(fields.Get("from")), Value: -amount},
		{Do: journal.Increment, Key: edn.Text(fields.Get("to")), Value: amount},
	}, nil
}

// balances returns the steps of a read of all accounts. It has none if the result is unknown.
func balances(p operation) ([]journal.Step, error) {
	if p.outcome() != journal.OK {
		return nil, nil
	}
	fields, is := p.ended.value.(edn.Map)
	if !is {
		return nil, p.ended.errorf("a :read of a bank is {account balance}, and this is %s", short(p.ended.value))
	}
	var steps []journal.Step
	for _, account := range fields {
		step := journal.Step{Do: journal.Read, Key: edn.Text(account.Key), Got: []int64{}}
		if account.Value != nil {
			balance, err := whole(p.ended, account.Value)
			if err != nil {
				return nil, err
			}
			step.Got = []int64{balance}
		}
		steps = append(steps, step)
	}
	return steps, nil
}

func whole(o op, value any) (int64, error) {
	n, is := value.(int64)
	if !is {
		return 0, fmt.Errorf("line %d: values are integers of 64 bits, and this is %s", o.line, short(value))
	}
	return n, nil
}
