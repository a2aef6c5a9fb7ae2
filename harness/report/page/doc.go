// Package page writes one HTML page that shows what happened in a run: a list of its specs, and for each spec a timeline,
// plots and verdicts made from its journal. The page is one file. It loads nothing from the network.
//
//	Collection   the files of a run: Ginkgo's JSON reports and saved journals   Add
//	Run          what the list shows                                            Collection.Run
//	Trace        a journal as lanes over time                                   NewTrace
//	Write        the page                                                       assets/
//	Perfetto     the same traces for the viewer of ui.perfetto.dev
//
// The page is made of the files in assets: page.html, page.css, and the scripts in the order of write.go. Each trace is compressed
// by itself, and the browser opens it when its spec is shown.
package page
