// Package bench measures the figures that the README quotes, at the suite's own
// settings (ginkgo.yml): make bench, or
//
//	go tool ginkgo --tags bench ./harness/bench
//
// or some of them, as in
//
//	go tool ginkgo --tags bench --focus "child processes" ./harness/bench
//
// Those of virtual time are of the stock Go then. What they are where replay is exact:
//
//	go run ./harness/cmd/exact go tool ginkgo --tags bench --focus "virtual time" ./harness/bench
//
// Each figure is the median of many tries in one run. They are printed as a
// table and kept in reports/bench.json. Nothing fails for being slow: machines
// are shared and noisy, so compare figures of one run with each other.
package bench
