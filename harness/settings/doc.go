// Package settings reads ginkgo.yml: how the suite runs and what cluster it runs on.
//
// A value is looked for in four places, and the first that has it wins:
//
//	flag -rejoin.nodes=5  >  REJOIN_NODES=5  >  "nodes: 5" in ginkgo.yml  >  Default
//
// Suite settings have no flag of ours, because Ginkgo has one for each; [Suite.Apply] lets those win.
// Whatever is wrong in any of the places is told at once, each as an [*Error] that says where it is
// and what is allowed. Nothing is guessed: an unknown key or REJOIN_ variable is an error too.
//
// Every setting is one line of the table in keys.go. The file, the environment, the flags and the
// messages are all driven by that table, so they cannot disagree about a name or a range.
//
// The package only reads. It keeps no state and looks at the environment and the command line
// through what it is handed, so two readings with the same arguments give the same answer.
package settings
