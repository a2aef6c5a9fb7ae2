// Package sqltext reads SQL text the way SQLite's own tokenizer does, and gives a database that
// is one SQLite file the illusion of namespaces.
//
// SQLite has schemas only for attached files. Here the table t of the namespace ns is one
// identifier of the single file, "ns.t", and the text is rewritten on its way in:
//
//	text --Split--> statements --Qualify--> text for SQLite
//
//	SELECT t.id FROM ns.t WHERE ns.t.id > 1
//	SELECT t.id FROM "ns.t" AS "t" WHERE "t".id > 1
//
// Only names that are written with a namespace change; every other byte is passed on. The result
// answers as it would if ns were an attached file. Namespaces themselves are made and dropped by
// two statements that SQLite does not know, which Split recognises: CREATE NAMESPACE and
// DROP NAMESPACE.
//
// The package is no parser. Text that SQLite would refuse is passed on, for SQLite to refuse in
// its own words; only what cannot be split or rewritten is an error here. It knows no catalogue
// either: a table written without a namespace is one of main, in views and triggers too. PRAGMA,
// ATTACH and VACUUM are passed on as they are.
//
// All functions are pure and safe for concurrent use.
package sqltext
