// Package durable is what outlives a node, on its disk: Raft's log, its term and
// vote, and its snapshots.
//
//	log/*.wal              segments of the log, by raft-wal: an append is one sync
//	log/meta               which segments there are; term and vote; replaced as a whole
//	snapshots/*.snapshot   two of them, the last by name the newest
//	promises               how much of all that there must be, and what is committed
//
// A byte that is not what it was is found, and is an error that names the file.
// The log is read whole when it is opened, each entry again whenever it is read,
// a snapshot block by block before a byte of it is given away. Nothing damaged is
// ever passed over in silence: not for an older snapshot, and not by a shorter log.
//
// Nor is what is missing: a file that is gone or older than it was, a log that ends
// before its promised end. A node without what it has acknowledged would vote as if
// it had never been stored. The promises are apart from what they are about; see promises.go for
// how they are kept without a sync of their own. What was removed together with them
// the disk alone cannot tell.
//
// What a crash left half-written is no damage, and is dropped: nobody was told
// that it is safe. See inspect for how the two are told apart, and what cannot be.
package durable
