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
// DROP NAMESPACE. PRAGMA ns.table_info(t) and PRAGMA table_info(ns.t) mean the same; the function
// form is pragma_table_info('ns.t').
//
// The name "ns.t" in quotes reaches the same table as ns.t. What is created under a name in quotes
// is in no namespace: Rewrite tells what a statement defines in one, for the database to remember.
//
// The package is no parser. Text that SQLite would refuse is passed on, for SQLite to refuse in
// its own words; only what cannot be split or rewritten is an error here. Nor does it know what
// tables there are. So it differs from an attached file in this:
//
//   - A table written without a namespace is one of main, in views and in triggers too. In turn a
//     trigger may change tables of any namespace.
//   - A column that SQLite names after the text of its expression has the rewritten text for a name.
//   - A namespace has no schema table of its own, and a full text table no column that is called
//     like it.
//   - ATTACH, VACUUM and a PRAGMA without a table are passed on as they are.
//
// All functions are pure and safe for concurrent use.
package sqltext
