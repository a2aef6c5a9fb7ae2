package specs

import "path/filepath"

// base is the name of a file without its directory, as it stands in messages.
func base(file string) string { return filepath.Base(file) }
