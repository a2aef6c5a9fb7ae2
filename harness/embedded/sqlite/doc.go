// Package sqlite opens SQLite connections whose answers depend on nothing but
// the statements given to them, so that replicas which run the same
// statements end with the same rows.
//
// What SQLite would take from its surroundings comes in through the Conn:
//
//	clock       SetNow     every form of 'now', CURRENT_TIMESTAMP and column defaults
//	randomness  SetRandom  random() and randomblob()
//	patience    Begin      what a request may take: steps of the virtual machine, and memory
//
// The time zone is UTC, whatever the zone of the process: the modifiers
// 'localtime' and 'utc' of SQLite's date functions leave a time as it is.
// SQLite has one zone per process, so a program that links this package has
// UTC in all its connections of github.com/mattn/go-sqlite3.
//
// A guard (SQLite's authorizer) refuses statements that reach outside the
// database or outside the transaction, and says why. Of the pragmas it lets those
// through that only ask what is in the schema. What it is not asked about
// is looked at when the statement has ended; its effects are then for the
// caller to undo.
//
// Every page of a database, in its file and in its log, ends in a sum of what is
// in it. SQLite believes its pages; here a page that has changed on the disk
// is an error to whoever reads it, and no row comes of it.
//
// Values are what SQLite stores and nothing else: nil, int64, float64, string
// and []byte.
//
// The package knows nothing of Raft or HTTP.
package sqlite
