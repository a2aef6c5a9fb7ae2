package machine

import (
	"path/filepath"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// Damage flips one bit of the database that a machine has in dir, in a row, from
// outside: in this process or another, whether or not the machine is open. It
// returns which file that was. See sqlite.Damage for what the machine then sees.
func Damage(dir string) (file string, err error) {
	return sqlite.Damage(filepath.Join(dir, databaseFile))
}
