// Package workload is what clients do to a cluster, so that the journal of it can be judged.
//
//	Workload    a data type and its operations: register, set, lists, bank, counter, …
//	Operation   one request, and how to read its answer
//	Load        runs a workload: clients, rate, deadline
//	Running     a load at work; its Tally counts outcomes
//
// A workload is added by a file here, its SQL in fixtures/workloads, and one line in
// Workloads.
package workload
