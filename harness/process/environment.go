package process

import "os"

// environment returns the environment of a node's process. It makes glibc's malloc return large blocks to the system
// when they are freed: SQLite allocates blocks as large as rows, and glibc would keep them in each of many arenas
// (mallopt(3)). Variables that are already set win.
func (o Options) environment(node string) []string {
	memory := []string{"MALLOC_MMAP_THRESHOLD_=1048576", "MALLOC_ARENA_MAX=2"}
	env := append(memory, os.Environ()...)
	if o.Environment != nil {
		env = append(env, o.Environment(node)...)
	}
	return env
}
