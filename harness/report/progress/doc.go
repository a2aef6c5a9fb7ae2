// Package progress is how long work says how far it is, so that another program can show it: harness/cmd/live draws one line of it.
// Suites that package specs runs say it, and so do chaos, defects and findings.
//
//	said, err := progress.Open(os.LookupEnv)    // nil if the environment names no file; then nothing is said
//	said.Begin(progress.Work{Unit: "specs", All: 312})
//	said.Start(1, "a node that was away comes back")
//	said.End(1, "a node that was away comes back", progress.Passed, took)
//
// Each event is a line of JSON at the end of the file. Several processes may write to one file.
package progress
