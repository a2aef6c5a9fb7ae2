// Package chaos makes trouble by a seed, and lets clients work meanwhile, so that
// what they saw can be judged (package check).
//
//	Workload   what clients do: one kind of data, and what can be said about it
//	Load       how a workload is run: how many clients, how fast
//	Schedule   which faults happen when
//	Run        all of it, on one cluster of a target
package chaos
