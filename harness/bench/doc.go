// Package bench measures the figures in the README, with the settings of ginkgo.yml: make bench, or
//
//	go tool ginkgo --tags bench ./harness/bench
//
// To measure some of them:
//
//	go tool ginkgo --tags bench --focus "child processes" ./harness/bench
//
// These commands measure virtual time with the installed Go. With exact replay:
//
//	go run ./harness/cmd/exact go tool ginkgo --tags bench --focus "virtual time" ./harness/bench
//
// Each figure is the median of many samples in one run. The figures are printed as a table and written to
// reports/bench.json. No spec fails for being slow: machines are shared and noisy, so compare figures of one run with
// each other.
package bench
