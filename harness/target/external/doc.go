// Package external is the target of a cluster that runs already, on any machines: its nodes are endpoints, and commands
// drive them, such as ssh {{.Host}} systemctl stop db, docker pause {{.Name}} or kubectl delete pod {{.Values.pod}}. A
// described.Target says all of that; no Go code is needed.
//
// What has no command, the target cannot do: target.Can is false, and specs that need it skip themselves with a sentence.
//
//	cut, heal            Isolate, Rejoin     stop, start, kill   target.Starter
//	pause, resume        target.Pauser       log                 target.LogReader
//	version              target.Upgrader     reset               a clean start for each Boot
//
// The cluster is one: a second Boot fails until the first cluster is closed, and specs must not run in parallel. Its size
// is given: Boot with another size fails with a target.SizeError unless a reset command can make it, and specs that want
// another size skip themselves. Close undoes what was done to the nodes, and leaves them running.
//
// Without a command reset the database keeps what was written. Each spec then works in a namespace of its own. Specs that
// look at all of the database, or at the number of entries in a log, see what earlier specs wrote; those that the suite
// has need the assumptions SystemTables, Compacts or EmbeddedFiles, which such a cluster should not declare.
//
// Isolate runs the command cut, which cuts the node from other nodes. The target itself refuses the requests of its
// clients, and ends those under way. Inside goes to Node.Inside, which the command must leave alone.
package external
