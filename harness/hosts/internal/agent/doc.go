// Package agent is the first process on each host: PID 1 of the host's PID namespace.
//
// The agent is this program, started once more in new namespaces. An init function of this package takes it over before
// main. It makes the host's network device, starts programs, reaps every orphan, and reports exits. Package hosts talks to
// it over a Unix socket:
//
//	Agent    the harness' side: a method for each thing that a host does
//	serve    the host's side: a table of operations, by name
//
// When the agent ends, the kernel kills every process on the host and removes its namespaces, devices and mounts. The agent
// ends when the socket ends, and when the thread that started it ends, so nothing stays when the harness is killed.
//
// A further operation is an entry in the table operations. Agent.Call calls it, with descriptors in both directions.
package agent
