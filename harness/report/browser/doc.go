// Package browser tests the pages of packages page and live in Chromium: what they show is compared with the journal, and with the cluster.
// It is a module of its own, so that Rejoin needs no driver of a browser. Run it in this folder:
//
//	go test -tags browser .
//
// Without Chromium the tests are skipped, and say so. It writes pictures of the page to reports/pictures, below the root of the repository.
package browser
