// Package workload runs the clients of a cluster: what they write and read, so that a journal of it can be
// judged.
//
//	Workload    a data type and its operations: register, set, lists, bank, counter, …
//	Operation   one request, and how to read its answer
//	Interactive the workloads whose operations are interactive transactions
//	Load        runs a workload: clients, rate, deadline
//	Running     a load whose clients run; its Tally counts outcomes
//
// To add a workload, add a file here, its SQL in fixtures/workloads, and one line in Workloads or Interactive.
package workload
