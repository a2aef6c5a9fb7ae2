// Package wire is the JSON that a SQL-over-HTTP endpoint and its clients
// speak: a request with one or more statements goes one way, an answer with
// the rows of each statement comes back. It reads and writes both, streaming
// and exact. It knows nothing of HTTP, of SQL or of the cluster.
//
//	Request.Append ──► {"sql":…,"params":[…],"consistency":…} ──► DecodeRequest
//	                                                                   │
//	Reader ◄── {"results":[…],"status":"success","took":1.2} ◄── Writer
//
// # Values
//
// A value is one of SQLite's five storage classes, and it comes back as the
// class, and with the bits, it had:
//
//	nil      null
//	int64    7                        every digit, all 64 bits
//	float64  7.0, 1e-07, -0.0         always with a point or an exponent;
//	                                  infinity is 9e999 and -9e999
//	string   "text"                   {"text_base64":"…"} when it is not UTF-8
//	[]byte   {"base64":"…"}           nil or empty: a blob of no bytes
//
// NaN is written as null, as SQLite stores it. A reader takes true and false
// for 1 and 0, and refuses what it would have to change: an integer beyond 64
// bits, a string with a lone surrogate or with bytes that are not UTF-8. A
// value is written in one way only, so rows are equal exactly when their bytes
// are; see [Reader.Raw].
//
// # Answers
//
//	{"results":[{"schema":[{"name":"id","data_type":"INTEGER"}],
//	             "rows":[[1],[2]],"row_count":2}],
//	 "status":"success","took":1.234}
//	{"status":"error","error":{"code":"SQL_ERROR","message":"…"}}
//
// There is one result for each statement. One that changes rows also has
// "rows_affected"; one that returns no columns has an empty schema and no
// rows. An error with "outcome":"unknown" leaves open whether the statements
// were applied.
//
// # Failing half way
//
// Rows leave before the last of them is known, so an answer can fail after
// its beginning is out. That is why [Writer] says "status" after the results
// and not before: no part of an answer, cut off anywhere, contains the word
// success. [Writer.Fail] closes what is open, without the row_count that a
// whole result has, and goes on with "status":"error" and the reason. What the
// client holds is then valid JSON that says it failed. The caller is told, by
// [ErrCut], to cut the connection as well, so that a client that looks at the
// transport alone is not misled either.
//
// [Reader] takes the keys in any order and passes over those it does not
// know, since other databases answer in the same shape with more to say. It
// calls an answer a success only if it was read to its last brace, said so,
// named no error, and had as many rows as it claimed.
package wire
