// Package isolation shows what the isolation levels of a database prevent. It plays ten interleavings of two or three
// transactions, each of which shows one anomaly where the database lets it happen. The anomalies are those of Kleppmann's
// Hermitage; their names come from Adya ("Weak Consistency", MIT 1999), and Bailis et al. ("Highly Available
// Transactions", VLDB 2013).
//
//	G0        dirty write                        forbidden at read uncommitted and above
//	G1a       aborted read                       forbidden at read committed and above
//	G1b       intermediate read                  forbidden at read committed and above
//	G1c       circular information flow          forbidden at read committed and above
//	OTV       observed transaction vanishes      forbidden at repeatable read, snapshot and serializable
//	P4        lost update                        forbidden at repeatable read, snapshot and serializable
//	G-single  read skew                          forbidden at repeatable read, snapshot and serializable
//	PMP       predicate has many preceders       forbidden at snapshot and serializable
//	G2-item   write skew                         forbidden at repeatable read and serializable
//	G2        write skew of a predicate          forbidden at serializable
//
// The levels are meant as Adya defines them: PL-1, PL-2, PL-2.99, snapshot isolation and PL-3. A database that promises
// snapshot isolation under the name "repeatable read" offers the level target.Snapshot, and not target.RepeatableRead: an
// adapter names a level by what the database promises.
//
// An anomaly is judged by what committed transactions read, and by the rows in the end, and not by what waited for what. So
// a slow machine never makes an anomaly out of nothing.
package isolation
