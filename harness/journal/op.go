package journal

import (
	"fmt"
	"strings"
)

// Outcome is what became of an operation.
type Outcome string

// The outcomes. The zero Outcome is that of an operation that has not ended.
const (
	OK      Outcome = "ok"      // it was done, and what it read is true
	Failed  Outcome = "failed"  // it was not done and never will be
	Unknown Outcome = "unknown" // it may have been done, or may still be done
)

// Model is what a key is to its clients, and so what can be said about a history.
type Model string

// The models. Keys of different models are different keys.
const (
	Register Model = "register" // Read, Write, CAS; one operation is about one register, except a final read
	// Registers are registers that transactions Read and Write, several at a time. No value is written to one twice.
	Registers Model = "rw-register"
	Set       Model = "set"     // Read, Add, Remove: a value is added at most once, and may be removed after that
	List      Model = "list"    // Read, Append; one operation may touch several lists, and is a transaction
	Bank      Model = "bank"    // Read, Increment of balances: an operation's increments add up to 0, a balance is never below 0; Write opens accounts
	Counter   Model = "counter" // Read, Increment by what is positive
	Unique    Model = "unique"  // Read, Insert: a value is taken at most once for all time
)

// Level is how fresh reads were asked to be, as target.Consistency has it.
type Level string

// The levels.
const (
	Local  Level = "local"  // the state of the node that was asked
	Leader Level = "leader" // what the leader has applied
	Strong Level = "strong" // linearizable
)

// Op is an operation of a client: what it did, in order and as one transaction,
// and what became of it.
type Op struct {
	// Client is who asked. A client that is numbered has one operation under way
	// at a time. Nobody if nobody said.
	Client int `json:"client"`
	// ID names the request, if it has a name.
	ID      string  `json:"id,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"`
	Model   Model   `json:"model,omitempty"`
	Level   Level   `json:"level,omitempty"` // of its reads
	// Final tells that everything had come to rest: all faults were healed, no
	// operation that changes anything was under way, and none came after it. Such
	// a read shows what has become of all that went before.
	Final bool   `json:"final,omitempty"`
	Steps []Step `json:"steps,omitempty"` // none for plain SQL
	// Mutates tells of plain SQL whether it may change anything. Of an operation with
	// steps the steps tell.
	Mutates bool `json:"mutates,omitempty"`
	// Unread tells that an OK operation was applied, and that its answer was lost or
	// made no sense: what its steps read is unknown.
	Unread bool `json:"unread,omitempty"`
}

// Do is what a step does.
type Do string

// What steps do, each to one key.
const (
	Read      Do = "read"      // Got what the key held: of a register none or one, of a list all in order, of a set all in any order
	Write     Do = "write"     // Value is what the register holds now
	CAS       Do = "cas"       // if the register holds Old, it holds Value now, and Got is [1]; else Got is [0]
	Append    Do = "append"    // Value is the last of the list now
	Add       Do = "add"       // Value is in the set now
	Remove    Do = "remove"    // Value is no longer in the set
	Increment Do = "increment" // the number is greater by Value, or less
	Insert    Do = "insert"    // Value is taken now; it was not before
)

// Step is one thing that an operation does.
type Step struct {
	Do    Do     `json:"do"`
	Key   string `json:"key"`
	Value int64  `json:"value,omitempty"`
	Old   int64  `json:"old,omitempty"`
	// Got is what was read. It is nil for a step that does not read, and for one whose
	// result is unknown.
	Got []int64 `json:"got,omitzero"`
}

// Reads tells whether the step only reads.
func (s Step) Reads() bool { return s.Do == Read }

// Answers tells whether the step reports something: what it read, or whether it matched.
func (s Step) Answers() bool { return s.Do == Read || s.Do == CAS }

// Changes tells whether the operation may change anything.
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
