// Package browser tests the page of package page in Chromium: what it shows is compared with the journal that it was made of.
// It is a module of its own, so that Rejoin needs no driver of a browser. Run it in this folder:
//
//	go test -tags browser .
//
// Without Chromium the tests are skipped, and say so. It writes pictures of the page to reports/pictures, below the root of the repository.
package browser
