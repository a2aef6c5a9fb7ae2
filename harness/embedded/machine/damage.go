package machine

import (
	"path/filepath"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// Damage flips one bit in a row of the machine's database in dir. It writes to the file from
// outside the machine, which may be open in this or another process. It returns the changed file.
// See sqlite.Damage for how the machine notices.
func Damage(dir string) (file string, err error) {
	return sqlite.Damage(filepath.Join(dir, databaseFile))
}
