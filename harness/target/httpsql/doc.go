// Package httpsql executes SQL over an HTTP API that package described describes: requests are templates, and answers
// are JSON whose parts are named by paths.
//
//	API      a description that was checked and parsed; New makes a Client of a node from it
//	Client   a target.SQL, which also answers calls that are no SQL (Call)
//
// Values keep their class and every bit: a JSON number is an int64 if it has neither a point nor an exponent, else a
// float64; true and false are 1 and 0; blobs are as described.HTTP.Blob says. A number that fits neither is an error.
//
// An answer is read to its end before the first row is given, so that an error at its end is seen. A request that was not
// sent was not applied. One that was sent and not answered has an unknown outcome. The client never sends a request twice.
package httpsql
