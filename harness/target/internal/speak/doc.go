// Package speak speaks to a database that package described describes: it connects to nodes, over HTTP or by a driver of
// database/sql, in the database's dialect, and asks them for their status.
package speak
