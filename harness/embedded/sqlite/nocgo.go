//go:build !cgo

package sqlite

// SQLite is C. Without cgo the go command stops at this import, whose path says what to do, and not
// at every name that is missing then.
import _ "github.com/rejoin-db/rejoin/harness/embedded/sqlite/needs_cgo_so_set_CGO_ENABLED_1_and_install_a_C_compiler"
