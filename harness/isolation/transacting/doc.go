// Package transacting is a target with interactive transactions, for trying out specs that find wrong ones. All its nodes
// show one SQLite database in memory. It is strictly serializable, unless it has a Flaw, whatever isolation levels it claims.
//
// A transaction works on a copy of the database. Commit executes its statements again on the database itself. Without a
// flaw it refuses if a statement now has another answer. Where the target locks, transactions run one after the other
// instead: Begin waits for the end of the one before.
package transacting
