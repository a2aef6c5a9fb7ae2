// Package replay makes a run in virtual time exactly its seed.
//
// A seed cannot choose what Go's runtime chooses by chance: which goroutine runs next,
// which ready case of a select, the order of a map. So this package patches the runtime,
// at build time: Prepare writes changed copies of a few files of the installed Go's
// sources into the user's cache folder, with a list for go build -overlay, a flag of the
// go command that puts them in the place of the installed ones. The installed Go is not
// touched, and no source of Go is part of this module: patches.go holds the changes, and
// files the text that is new.
//
// Each change is found by its text. If Go has another text there, nothing is patched,
// and Toolchain.Why says so in a sentence: then everything works as it does with any Go,
// and runs are not exact.
//
//	toolchain, err := replay.Prepare(ctx)
//	...
//	err = toolchain.Command(ctx, "go", "test", "./specs").Run()
//
// The same from a shell: go run ./harness/cmd/exact go test ./specs
package replay
