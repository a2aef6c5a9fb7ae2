// Package dialect says the suite's SQL in a database's words. The suite writes SQLite's SQL with namespaces: a table is
// ns.t, and CREATE NAMESPACE and DROP NAMESPACE … CASCADE make and drop what it belongs to. A Dialect translates a request
// into the statements that a database runs in its place.
//
// What a database cannot say is an *UnsupportedError: one sentence, with which a spec can skip itself.
//
// A Dialect translates text. It is not a parser of any database's SQL, and it does not emulate functions. It is safe for
// concurrent use.
package dialect
