package process

import "os"

// environment is that of a node's process; nil for this process's own.
func (o Options) environment(node string) []string {
	if o.Environment == nil {
		return nil
	}
	return append(os.Environ(), o.Environment(node)...)
}
