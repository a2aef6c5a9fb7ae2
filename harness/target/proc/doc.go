// Package proc makes a target of any program: a Database says how its nodes are started, asked and stopped, and New boots
// clusters of them on hosts (package hosts), where links, lives, disks and clocks can be made to fail from below.
//
//	t := proc.New(proc.Database{Name: "mydb", Programs: …, Address: …, SQL: …, Status: …}, proc.Options{})
//
// Each node has a host with an address of its own, so that ports are constants and a node that comes back has its address
// and its disk. Clients have a host too: what they send goes over links that faults cut. Inside reaches a node from its own
// host.
//
// What a cluster can do follows from the Database and the machine. Every one can stop, crash, start, pause and isolate
// nodes, degrade links, list files, read logs and accept raw connections. It changes members, runs several versions,
// remembers requests, hashes data and has interactive transactions if the Database says how. Disks and clocks can fail if
// the machine can make them fail. target.Can is false for the rest.
//
// harness/target/README.md tells how to write an adapter.
package proc
