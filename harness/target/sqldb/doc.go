// Package sqldb makes a target.SQL of a database/sql driver.
//
//	db, err := sqldb.New(sql.OpenDB(connector), sqldb.Options{Node: "n0", Judge: judge})
//	rows, err := db.Query(ctx, target.Request{SQL: "INSERT INTO t VALUES (?)", Params: []any{int64(1)}})
//
// A request uses one connection, so that database/sql cannot send it again: with a pool it sends a statement up to three
// times when the driver says driver.ErrBadConn, also where the database has executed it.
//
// # Transactions
//
// A request that changes data runs between Begin and Commit, even if it is one statement: whatever fails before Commit is
// sent was not applied, since a database undoes the transaction of a connection that ends. Only the answer to Commit can be
// lost, and then Options.Judge decides on the outcome. A request of one statement that reads is sent alone.
//
// The answer is streamed. Commit is sent when the last row has been read, and its error is the error of Rows: a request
// is acknowledged when Rows.NextResult has returned false and Rows.Err nil.
//
// # Values
//
// The values of an answer are nil, int64, float64, string and []byte, by these rules:
//
//	integers of any size      int64; an unsigned one that does not fit is its decimal digits, as a string
//	float32                   float64, the same number
//	bool                      int64: 0 or 1
//	time.Time                 string: "2006-01-02 15:04:05.999999999" in UTC
//	[]byte in a text column   string: the type of the column tells, see IsText
//	NUMERIC, DECIMAL          int64 if it is written as an integer that fits; else its digits, as a string
//
// Options.Value replaces them where a driver needs other rules.
//
// # Waits
//
// Every call of the driver is limited by Options.Timeout and by the context. A driver that ignores its context is left
// behind after Options.Grace: the request fails, and DB.Close waits for the driver.
package sqldb
