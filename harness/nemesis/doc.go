// Package nemesis has the kinds of faults that can be injected into a cluster, each as one value in a
// file of its own. The word is Jepsen's.
//
//	Kind               what is particular to a kind: needs, subject, injection, evidence
//	All, Find          the kinds
//	Nemesis            injects faults into a cluster, and keeps them out of each other's way
//	Injection          a fault in force: whether it had an effect, and how to undo it
//	Evidence           what is observed of a cluster before and after a fault
//
// A fault goes
//
//	fault.Fault ─> Nemesis.Inject: valid? able? free? ─> Evidence ─> Kind.Inject ─> in force
//	            ─> Evidence, Kind.Bit ─> Injection.Undo
//
// To add a kind, add its file and one line in All. Code elsewhere names no kind: it asks for a
// property, such as Forgets or On. A test counts the files that name one.
//
// A kind with two effects has the subject that is drawn as On, makes both effects in Inject with
// the verbs of harness.Cluster, and undoes both: crash_installing.go is an example. What it
// shares with another kind is a helper in disks.go, clocks.go, links.go or offline.go.
package nemesis
