// Package targettest checks that an adapter for a database is a right target.Target. It needs seconds and one line:
//
//	func TestConformance(t *testing.T) { targettest.Run(t, mydb.New()) }
//
// Each spec is about one promise of package target. One that fails says in a sentence what the adapter did wrong, and which
// method to look at. What the target cannot do is skipped: see target.Can.
//
//	Run, Register   the checks as Ginkgo specs
//	Checks, Try     the checks as functions, for a suite of one's own
//	Options         how large clusters are, and how patient the checks
//
// In virtual time, Register goes into a container with virtual.Bubble, and all waits of the checks are virtual too.
//
// The checks are about the adapter and not about the database: passing them, an adapter tells the suite the truth, also about
// a database that is wrong. They speak the SQL of the suite: CREATE NAMESPACE, and the types INTEGER, REAL, TEXT and BLOB.
package targettest
