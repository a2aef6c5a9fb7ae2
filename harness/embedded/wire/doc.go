// Package wire implements the JSON of a SQL-over-HTTP endpoint: a request with one or more
// statements, and an answer with the rows of each statement. It encodes and decodes both, with
// exact values; answers are streamed. It does not depend on HTTP, SQL or the cluster.
//
//	Request.Append ──► {"sql":…,"params":[…],"consistency":…} ──► DecodeRequest
//	                                                                   │
//	Reader ◄── {"results":[…],"status":"success","took":1.2} ◄── Writer
//
// # Values
//
// A value has one of SQLite's five storage classes. Encoding and decoding preserve the class and
// every bit:
//
//	nil      null
//	int64    7                        every digit, all 64 bits
//	float64  7.0, 1e-07, -0.0         always with a point or an exponent;
//	                                  infinity is 9e999 and -9e999
//	string   "text"                   {"text_base64":"…"} when it is not UTF-8
//	[]byte   {"base64":"…"}           nil or empty: a blob of no bytes
//
// NaN is written as null, as SQLite stores it. A reader accepts true and false as 1 and 0. It
// rejects values that it could not represent exactly: an integer of more than 64 bits, a string
// with a lone surrogate or with invalid UTF-8. The encoding of a value is unique, so rows are
// equal exactly if their bytes are; see [Reader.Raw].
//
// # Answers
//
//	{"results":[{"schema":[{"name":"id","data_type":"INTEGER"}],
//	             "rows":[[1],[2]],"row_count":2}],
//	 "status":"success","took":1.234}
//	{"status":"error","error":{"code":"SQL_ERROR","message":"…"}}
//
// There is one result for each statement. A statement that changes rows also has "rows_affected".
// A statement that returns no columns has an empty schema and no rows. After an error with
// "outcome":"unknown" the statements may or may not have been applied.
//
// # Failures in the middle of an answer
//
// Rows are sent before the last row is known, so an answer can fail after its beginning was sent.
// Therefore [Writer] writes "status" after the results: no truncated part of an answer contains
// the word success. [Writer.Fail] closes what is open, without the row_count of a complete
// result, and adds "status":"error" and the reason. The client then has valid JSON that reports
// the failure. [ErrCut] tells the caller to cut the connection as well, so that a client that
// only checks the transport also sees a failure.
//
// [Reader] accepts keys in any order and ignores unknown keys, since other databases use the same
// format with additions. It reports success only if the answer was read to its closing brace, has
// the status success, contains no error, and has as many rows as its row_count.
package wire
