package machine

import "path/filepath"

// Damage does nothing.
func Damage(dir string) (string, error) { return filepath.Join(dir, "state.db"), nil }
