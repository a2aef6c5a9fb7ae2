// Package sqltext tokenizes SQL text like SQLite, and emulates namespaces in a database that is a
// single SQLite file.
//
// SQLite has schemas only for attached files. Here the table t of the namespace ns is one
// identifier of the single file, "ns.t", and statements are rewritten before SQLite sees them:
//
//	text --Split--> statements --Qualify--> text for SQLite
//
//	SELECT t.id FROM ns.t WHERE ns.t.id > 1
//	SELECT t.id FROM "ns.t" AS "t" WHERE "t".id > 1
//
// Only names written with a namespace change; every other byte stays. The results are as if ns
// were an attached file. Namespaces are created and dropped by two statements that SQLite does
// not have, which Split recognizes: CREATE NAMESPACE and DROP NAMESPACE. PRAGMA ns.table_info(t)
// and PRAGMA table_info(ns.t) are equivalent; the function form is pragma_table_info('ns.t').
//
// The quoted name "ns.t" refers to the same table as ns.t. An object created under a quoted name
// is in no namespace: Rewrite reports the object that a statement defines in a namespace, for the
// database to record.
//
// The package is not a parser. Text that SQLite would reject is passed on, so that SQLite reports
// the error; only text that cannot be split or rewritten is an error here. The package does not
// know which tables exist. So the emulation differs from an attached file:
//
//   - A table written without a namespace is in main, also in views and triggers. In turn a
//     trigger may change tables of any namespace.
//   - A column that SQLite names after its expression is named after the rewritten text.
//   - A namespace has no schema table of its own, and a full-text table has no column with its
//     own name.
//   - ATTACH, VACUUM and a PRAGMA without a table are passed on unchanged.
//
// All functions are pure and safe for concurrent use.
package sqltext
