// Package sqlite provides deterministic SQLite connections: the results depend only on the
// statements, so that replicas that run the same statements have the same rows.
//
// The inputs that SQLite normally takes from its environment are set on the Conn:
//
//	clock       SetNow     every form of 'now', CURRENT_TIMESTAMP and column defaults
//	randomness  SetRandom  random() and randomblob()
//	limits      Begin      virtual machine steps and memory of a request
//
// The time zone is always UTC: the modifiers 'localtime' and 'utc' of SQLite's date functions do
// not change a time. SQLite has one zone per process, so a program that links this package has
// UTC in all its connections of github.com/mattn/go-sqlite3.
//
// SQLite's authorizer refuses statements that reach outside the database or the transaction, with
// a reason. Only pragmas that read the schema are allowed. What the authorizer does not see is
// checked after the statement; the caller must then undo its effects.
//
// Every page of a database, in its file and in its log, ends with a checksum. SQLite trusts its
// pages; here, reading a page that has changed on disk is an error and never returns a row.
//
// Values have SQLite's storage types only: nil, int64, float64, string and []byte.
//
// The package does not depend on Raft or HTTP.
package sqlite
