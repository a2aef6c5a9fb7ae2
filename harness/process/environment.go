package process

import "os"

// environment is this process's, in which glibc's malloc gives large blocks back when they
// are freed: SQLite takes and frees blocks as large as rows, and glibc otherwise keeps
// them, once for each of many arenas (mallopt(3)). What is set already counts instead.
func (o Options) environment(node string) []string {
	memory := []string{"MALLOC_MMAP_THRESHOLD_=1048576", "MALLOC_ARENA_MAX=2"}
	env := append(memory, os.Environ()...)
	if o.Environment != nil {
		env = append(env, o.Environment(node)...)
	}
	return env
}
