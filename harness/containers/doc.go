// Package containers is the target of a database whose nodes are containers of a Docker engine. It is a Go module of its
// own, so that who imports the kit does not carry the engine's client.
//
//	Stop     the engine's stop: SIGTERM     Isolate   the container leaves the cluster's network
//	Crash    the engine's kill: SIGKILL     Pause     the engine's pause
//
// The nodes and the clients are on one network. Each node has a second network that no other node is on, on which Inside
// and Status reach it, also while it is isolated. Nodes name each other by their names, n0, n1 and so on, which the
// engine's DNS resolves; a node that comes back may have another address. The file system of a container lasts as long as
// the cluster.
//
// The process must reach the addresses of containers: it runs on the host of the engine, on Linux. Supported says in a
// sentence why that is not so.
//
// Close removes containers and networks. If this process is killed before, the next Boot on the machine removes them.
package containers
