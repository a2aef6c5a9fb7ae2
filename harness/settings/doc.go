// Package settings reads ginkgo.yml: how the suite runs, and which cluster it runs on.
//
// A value can come from four places. The first that has it wins:
//
//	flag -rejoin.nodes=5  >  REJOIN_NODES=5  >  "nodes: 5" in ginkgo.yml  >  Default
//
// Suite settings have no -rejoin flag, because Ginkgo has a flag for each; [Suite.Apply] gives those precedence.
// Reading reports every problem in all places, not only the first. Each is an [*Error] with the place and the
// allowed values. Nothing is guessed: an unknown key or REJOIN_ variable is an error.
//
// Every setting is one entry of the table in keys.go. The table drives the file, the environment, the flags and
// the messages, so they always agree on names and ranges.
//
// The package keeps no state. It reads the environment and the command line only through its arguments, so equal
// arguments give equal results.
package settings
