// Package dedupe applies requests with an ID once in a database that has no such thing: the ID is written to a table in the
// transaction of the request. A request that is sent again gets its first answer. Another request with the same ID is
// refused with target.ErrKeyReused and was not applied.
//
//	table := dedupe.PostgreSQL()
//	sqldb.Options{Once: table, …}             a driver of database/sql
//	sqldb.NewBatch(options, send, table)      all statements of a request at once, for SQLite's SQL
//	proc.Database{Remembered: table.Remembered…}
//
// Answers of about 64 KiB and more are not kept: such a request fails with target.ErrAnswerGone and the outcome Applied. A
// Batch keeps the numbers of changed rows, and no rows. Nothing is ever forgotten: the table lasts as long as a test.
package dedupe
