package isolation

import (
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness"
)

// story is what an interleaving has shown.
type story struct {
	lines    []string
	sessions map[string]*session
	waited   map[string]bool // transactions of which a statement waited
	final    map[int64]int64 // the rows in the end
}

// found are the rows of one read, in order.
type found []struct{ id, value int64 }

// committed tells whether all of the transactions have committed.
func (s *story) committed(names ...string) bool {
	for _, name := range names {
		if s.sessions[name].ending != committed {
			return false
		}
	}
	return true
}

// saw tells whether a transaction has read that value of a row.
func (s *story) saw(name string, id, value int64) bool {
	for _, read := range s.sessions[name].reads {
		for _, row := range read {
			if row.id == id && row.value == value {
				return true
			}
		}
	}
	return false
}

// foundNone tells whether that read of a transaction, from 0, has found no row.
func (s *story) foundNone(name string, read int) bool {
	reads := s.sessions[name].reads
	return read < len(reads) && len(reads[read]) == 0
}

// lastDigits are those of the values that a transaction has read, in order.
func (s *story) lastDigits(name string) (digits []int64) {
	for _, read := range s.sessions[name].reads {
		for _, row := range read {
			digits = append(digits, row.value%10)
		}
	}
	return digits
}

func (s *story) tell(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf("%2d. ", len(s.lines)+1)+fmt.Sprintf(format, args...))
}

func (s *story) String() string { return strings.Join(s.lines, "\n") }

// rowsOf returns the rows of an answer to a SELECT of id and value.
func rowsOf(r harness.Result) (found, error) {
	all := found{}
	for _, row := range r.Rows() {
		if len(row) != 2 {
			return nil, fmt.Errorf("%s answered %d columns, not 2", r.ID, len(row))
		}
		id, is := row[0].(int64)
		value, too := row[1].(int64)
		if !is || !too {
			return nil, fmt.Errorf("%s answered %v, which are not two integers", r.ID, row)
		}
		all = append(all, struct{ id, value int64 }{id, value})
	}
	return all, nil
}

func (f found) String() string {
	if len(f) == 0 {
		return "no rows"
	}
	words := make([]string, len(f))
	for i, row := range f {
		words[i] = fmt.Sprintf("(%d, %d)", row.id, row.value)
	}
	return strings.Join(words, " ")
}
