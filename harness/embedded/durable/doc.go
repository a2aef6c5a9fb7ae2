// Package durable stores a node's durable state: Raft's log, its term and vote, and its
// snapshots.
//
//	log/*.wal              segments of the log, by raft-wal: an append is one sync
//	log/meta               list of segments; term and vote; replaced as a whole
//	snapshots/*.snapshot   two snapshots, the last by name is the newest
//	promises               how much of all this must be present, and the commit index
//
// A changed byte is detected and reported as an error that names the file. The log is verified as
// a whole when it is opened, each entry again whenever it is read, and a snapshot block by block
// before its content is returned. Corruption is never skipped silently: neither by using an older
// snapshot nor by truncating the log.
//
// Missing data is detected too: a missing or older file, and a log that ends before its promised
// end. A node without data that it has acknowledged would vote as if the data had never been
// stored. The promises are stored in a separate file; see promises.go for how they are kept
// without a sync of their own. Data that was removed together with the promises cannot be
// detected from the disk alone.
//
// Incomplete writes left by a crash are not damage. They are dropped, because they were never
// acknowledged. See inspect for how they are distinguished from damage, and for the limits of
// that.
package durable
