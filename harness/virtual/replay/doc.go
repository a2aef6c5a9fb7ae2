// Package replay makes a run in virtual time a function of its seed.
//
// Go's runtime makes random choices that no seed controls: the next goroutine, the ready case of a select, the order
// of a map. This package patches the runtime at build time. Prepare writes patched copies of some source files of
// the installed Go to the user's cache folder, with a list for the flag -overlay of the go command, which makes the
// go command compile the copies. The installed Go is not changed, and this module contains no source code of Go:
// patches.go holds the changes, and the folder files holds the new code.
//
// Each patch finds its place by the text there. If a text differs, nothing is patched and Toolchain.Why says so:
// everything works as with any Go, but runs are not exact.
//
//	toolchain, err := replay.Prepare(ctx)
//	...
//	err = toolchain.Command(ctx, "go", "test", "./specs").Run()
//
// The same in a shell: go run ./harness/cmd/exact go test ./specs
package replay
