package hosts

// Supported returns nil, or an error: one sentence that says why hosts cannot be made on this machine, and the remedy.
func Supported() error { return nil }
