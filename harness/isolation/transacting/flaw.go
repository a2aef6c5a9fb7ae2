package transacting

// Flaw is what is wrong with the isolation of transactions.
type Flaw string

// The flaws. Each lets the anomalies happen that are named, and others that follow.
const (
	None        Flaw = ""
	DirtyWrites Flaw = "dirty writes" // G0: writes take effect in the order of the statements, not of the commits; reads are dirty too
	DirtyReads  Flaw = "dirty reads"  // G1a, G1b, G1c, OTV: a statement sees what others have not committed
	ReadSkew    Flaw = "read skew"    // G-single, PMP: each statement has a snapshot of its own
	LostUpdates Flaw = "lost updates" // P4: a transaction has one snapshot, and no one looks for conflicts
	WriteSkew   Flaw = "write skew"   // G2-item, G2: snapshot isolation
)

// Flaws returns all flaws.
func Flaws() []Flaw { return []Flaw{DirtyWrites, DirtyReads, ReadSkew, LostUpdates, WriteSkew} }
