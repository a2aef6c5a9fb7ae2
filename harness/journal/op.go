package journal

import (
	"fmt"
	"strings"
)

// Outcome is the outcome of an operation.
type Outcome string

// The outcomes. The zero Outcome is that of an operation that has not ended.
const (
	OK      Outcome = "ok"      // it was done, and what it read is true
	Failed  Outcome = "failed"  // it was not done and never will be
	Unknown Outcome = "unknown" // it may have been done, or may still be done
)

// Model is the data type of a key. It determines which rules apply to a history.
type Model string

// The models. Keys of different models are different keys.
const (
	Register Model = "register" // Read, Write, CAS; one operation is about one register, except a final read
	// Registers are registers that transactions Read and Write. No value is written to a register twice.
	Registers Model = "rw-register"
	Set       Model = "set"  // Read, Add, Remove: a value is added at most once, and may be removed after that
	List      Model = "list" // Read, Append; an operation is a transaction on one or several lists
	// Bank is Read and Increment of balances. The increments of an operation add up to 0, and no balance is negative.
	// Write opens an account.
	Bank    Model = "bank"
	Counter Model = "counter" // Read, Increment by a positive number
	Unique  Model = "unique"  // Read, Insert: at most one insert of a value succeeds
)

// Level is the consistency level of reads, as in target.Consistency.
type Level string

// The levels.
const (
	Local  Level = "local"  // the state of the node that was asked
	Leader Level = "leader" // what the leader has applied
	Strong Level = "strong" // linearizable
)

// Op is an operation of a client: its steps, in order and as one transaction, and its outcome.
type Op struct {
	// Client is the number of the client, or None if it is unknown. A numbered client has one
	// operation in progress at a time.
	Client int `json:"client"`
	// ID names the request, if it has a name.
	ID      string  `json:"id,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"`
	Model   Model   `json:"model,omitempty"`
	Level   Level   `json:"level,omitempty"` // of its reads
	// Final marks a read at rest: all faults are healed, no change is in progress, and none comes
	// after it. It shows the final state.
	Final bool   `json:"final,omitempty"`
	Steps []Step `json:"steps,omitempty"` // none for plain SQL
	// Mutates tells whether plain SQL may change data. For an operation with steps the steps tell.
	Mutates bool `json:"mutates,omitempty"`
	// Unread tells that an OK operation was applied and that its answer was lost or malformed: what
	// its steps read is unknown.
	Unread bool `json:"unread,omitempty"`
}

// Do is what a step does.
type Do string

// The steps. Each concerns one key.
const (
	// Read returns in Got the values of the key: none or one of a register, all of a list in order, all of a set.
	Read      Do = "read"
	Write     Do = "write"     // the register holds Value
	CAS       Do = "cas"       // if the register holds Old, it holds Value now, and Got is [1]; else Got is [0]
	Append    Do = "append"    // Value is added at the end of the list
	Add       Do = "add"       // Value is added to the set
	Remove    Do = "remove"    // Value is removed from the set
	Increment Do = "increment" // Value, which may be negative, is added to the number
	Insert    Do = "insert"    // Value is taken, if it was not
)

// Step is one thing that an operation does.
type Step struct {
	Do    Do     `json:"do"`
	Key   string `json:"key"`
	Value int64  `json:"value,omitempty"`
	Old   int64  `json:"old,omitempty"`
	// Got is the result. It is nil for a step without a result, and for an unknown one.
	Got []int64 `json:"got,omitzero"`
}

// Reads tells whether the step only reads.
func (s Step) Reads() bool { return s.Do == Read }

// Answers tells whether the step has a result: what it read, or whether it matched.
func (s Step) Answers() bool { return s.Do == Read || s.Do == CAS }

// Changes tells whether the operation may change data.
func (o Op) Changes() bool {
	if len(o.Steps) == 0 {
		return o.Mutates
	}
	for _, s := range o.Steps {
		if !s.Reads() {
			return true
		}
	}
	return false
}

func (o Op) String() string {
	words := make([]string, len(o.Steps))
	for i, s := range o.Steps {
		words[i] = s.String()
	}
	return strings.Join(words, "; ")
}

func (s Step) String() string {
	var text string
	switch s.Do {
	case Read:
		text = fmt.Sprintf("read %s", s.Key)
	case CAS:
		text = fmt.Sprintf("cas %s from %d to %d", s.Key, s.Old, s.Value)
	default:
		text = fmt.Sprintf("%s %s %d", s.Do, s.Key, s.Value)
	}
	if s.Got == nil {
		return text
	}
	return text + " = " + gotten(s.Got)
}

func gotten(values []int64) string {
	const most = 8
	if len(values) <= most {
		return fmt.Sprint(values)
	}
	return fmt.Sprintf("[%s … %d] (%d)", strings.Trim(fmt.Sprint(values[:most-1]), "[]"), values[len(values)-1], len(values))
}
