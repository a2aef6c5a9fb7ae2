package isolation

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Anomaly is something that transactions can do to each other.
type Anomaly struct {
	Name  string // as in "G-single"
	Title string // as in "read skew"
	// Sentence says what happens.
	Sentence string
	// Forbidden are the levels at which it must not happen.
	Forbidden []target.Isolation

	script   string
	happened func(*story) bool
}

// ForbiddenAt tells whether the anomaly must not happen at a level.
func (a Anomaly) ForbiddenAt(level target.Isolation) bool { return slices.Contains(a.Forbidden, level) }

func (a Anomaly) String() string { return a.Name + " (" + a.Title + ")" }

var (
	fromUncommitted = []target.Isolation{
		target.ReadUncommitted, target.ReadCommitted, target.RepeatableRead, target.Snapshot, target.Serializable,
	}
	fromCommitted  = fromUncommitted[1:]
	fromRepeatable = fromUncommitted[2:]
	fromSnapshot   = fromUncommitted[3:]
	withoutSkew    = []target.Isolation{target.RepeatableRead, target.Serializable}
	onlyStrongest  = fromUncommitted[4:]
)

// The table has the columns id and value, and the rows (x, initialX) and (y, initialY). A script has one step a line. A
// transaction that is not mentioned is not begun.
const (
	x, y               = 1, 2
	initialX, initialY = 10, 20
)

// Anomalies returns all anomalies, in the order of the package's documentation.
func Anomalies() []Anomaly {
	return []Anomaly{
		{
			Name: "G0", Title: "dirty write", Forbidden: fromUncommitted,
			Sentence: "Two transactions write the same two rows, and each keeps one of them.",
			script: `
				T1 begin
				T2 begin
				T1 UPDATE {t} SET value = 11 WHERE id = 1
				T2 UPDATE {t} SET value = 12 WHERE id = 1
				T2 UPDATE {t} SET value = 22 WHERE id = 2
				T1 UPDATE {t} SET value = 21 WHERE id = 2
				T1 commit
				T2 commit`,
			happened: func(s *story) bool {
				return s.final[x] == 11 && s.final[y] == 22 || s.final[x] == 12 && s.final[y] == 21
			},
		},
		{
			Name: "G1a", Title: "aborted read", Forbidden: fromCommitted,
			Sentence: "A transaction reads what another one wrote and rolled back.",
			script: `
				T1 begin
				T2 begin
				T1 UPDATE {t} SET value = 101 WHERE id = 1
				T2 SELECT id, value FROM {t} ORDER BY id
				T1 rollback
				T2 SELECT id, value FROM {t} ORDER BY id
				T2 commit`,
			happened: func(s *story) bool { return s.committed("T2") && s.saw("T2", x, 101) },
		},
		{
			Name: "G1b", Title: "intermediate read", Forbidden: fromCommitted,
			Sentence: "A transaction reads what another one wrote first, and overwrote itself before it committed.",
			script: `
				T1 begin
				T2 begin
				T1 UPDATE {t} SET value = 101 WHERE id = 1
				T2 SELECT id, value FROM {t} ORDER BY id
				T1 UPDATE {t} SET value = 11 WHERE id = 1
				T1 commit
				T2 SELECT id, value FROM {t} ORDER BY id
				T2 commit`,
			happened: func(s *story) bool { return s.committed("T2") && s.saw("T2", x, 101) },
		},
		{
			Name: "G1c", Title: "circular information flow", Forbidden: fromCommitted,
			Sentence: "Two transactions read what the other one wrote.",
			script: `
				T1 begin
				T2 begin
				T1 UPDATE {t} SET value = 11 WHERE id = 1
				T2 UPDATE {t} SET value = 22 WHERE id = 2
				T1 SELECT id, value FROM {t} WHERE id = 2
				T2 SELECT id, value FROM {t} WHERE id = 1
				T1 commit
				T2 commit`,
			happened: func(s *story) bool {
				return s.committed("T1", "T2") && s.saw("T1", y, 22) && s.saw("T2", x, 11)
			},
		},
		{
			Name: "OTV", Title: "observed transaction vanishes", Forbidden: fromRepeatable,
			Sentence: "A transaction reads what another one wrote, and then an older version of what that one wrote too.",
			script: `
				T1 begin
				T2 begin
				T3 begin
				T1 UPDATE {t} SET value = 11 WHERE id = 1
				T1 UPDATE {t} SET value = 21 WHERE id = 2
				T2 UPDATE {t} SET value = 12 WHERE id = 1
				T1 commit
				T3 SELECT id, value FROM {t} WHERE id = 1
				T3 SELECT id, value FROM {t} WHERE id = 2
				T2 UPDATE {t} SET value = 22 WHERE id = 2
				T3 SELECT id, value FROM {t} WHERE id = 2
				T2 commit
				T3 SELECT id, value FROM {t} WHERE id = 2
				T3 SELECT id, value FROM {t} WHERE id = 1
				T3 commit`,
			happened: func(s *story) bool { // the last digit of a value is the transaction that wrote it
				return s.committed("T3") && !slices.IsSorted(s.lastDigits("T3"))
			},
		},
		{
			Name: "P4", Title: "lost update", Forbidden: fromRepeatable,
			Sentence: "Two transactions read the same version of a row, and both overwrite it.",
			script: `
				T1 begin
				T2 begin
				T1 SELECT id, value FROM {t} WHERE id = 1
				T2 SELECT id, value FROM {t} WHERE id = 1
				T1 UPDATE {t} SET value = 11 WHERE id = 1
				T2 UPDATE {t} SET value = 12 WHERE id = 1
				T1 commit
				T2 commit`,
			happened: func(s *story) bool {
				return s.committed("T1", "T2") && s.saw("T1", x, initialX) && s.saw("T2", x, initialX)
			},
		},
		{
			Name: "G-single", Title: "read skew", Forbidden: fromRepeatable,
			Sentence: "A transaction reads one row before, and another row after a transaction that writes both.",
			script: `
				T1 begin
				T2 begin
				T1 SELECT id, value FROM {t} WHERE id = 1
				T2 SELECT id, value FROM {t} ORDER BY id
				T2 UPDATE {t} SET value = 12 WHERE id = 1
				T2 UPDATE {t} SET value = 22 WHERE id = 2
				T2 commit
				T1 SELECT id, value FROM {t} WHERE id = 2
				T1 commit`,
			happened: func(s *story) bool {
				return s.committed("T1", "T2") && s.saw("T1", x, initialX) && s.saw("T1", y, 22)
			},
		},
		{
			Name: "PMP", Title: "predicate has many preceders", Forbidden: fromSnapshot,
			Sentence: "A transaction looks for rows twice, and the second time finds one that another transaction inserted meanwhile.",
			script: `
				T1 begin
				T2 begin
				T1 SELECT id, value FROM {t} WHERE value = 30
				T2 INSERT INTO {t} (id, value) VALUES (3, 30)
				T2 commit
				T1 SELECT id, value FROM {t} WHERE value % 3 = 0
				T1 commit`,
			happened: func(s *story) bool {
				return s.committed("T1") && s.foundNone("T1", 0) && s.saw("T1", 3, 30)
			},
		},
		{
			Name: "G2-item", Title: "write skew", Forbidden: withoutSkew,
			Sentence: "Two transactions read the same two rows, and each overwrites another one of them.",
			script: `
				T1 begin
				T2 begin
				T1 SELECT id, value FROM {t} WHERE id IN (1, 2) ORDER BY id
				T2 SELECT id, value FROM {t} WHERE id IN (1, 2) ORDER BY id
				T1 UPDATE {t} SET value = 11 WHERE id = 1
				T2 UPDATE {t} SET value = 22 WHERE id = 2
				T1 commit
				T2 commit`,
			happened: func(s *story) bool {
				return s.committed("T1", "T2") && s.saw("T1", y, initialY) && s.saw("T2", x, initialX)
			},
		},
		{
			Name: "G2", Title: "write skew of a predicate", Forbidden: onlyStrongest,
			Sentence: "Two transactions look for rows and find none, and each inserts one that the other one would have found.",
			script: `
				T1 begin
				T2 begin
				T1 SELECT id, value FROM {t} WHERE value % 3 = 0
				T2 SELECT id, value FROM {t} WHERE value % 3 = 0
				T1 INSERT INTO {t} (id, value) VALUES (3, 30)
				T2 INSERT INTO {t} (id, value) VALUES (4, 42)
				T1 commit
				T2 commit`,
			happened: func(s *story) bool {
				return s.committed("T1", "T2") && s.foundNone("T1", 0) && s.foundNone("T2", 0)
			},
		},
	}
}
