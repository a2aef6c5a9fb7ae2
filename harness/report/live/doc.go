// Package live serves a page on which a running cluster is played with: its nodes and what they report, buttons for the faults that
// its target can make, SQL, workloads, the rows of the nodes side by side, and the timeline of package page, which goes on.
//
//	Play      boots a cluster of any target, and serves its page until a context ends
//	Listen    serves the page of a cluster on loopback         Server.URL, Server.Close
//	New       the page as an http.Handler                      Page
//
//	GET /       the page: no data, no token                    assets/
//	GET /state  what is shown, once it has changed             State
//	GET /trace  the journal as lanes                           feed
//	POST /do    one action, such as taking a node offline      actions
//	POST /sql   a request to a node
//	POST /rows  the answers of all nodes to one query
//	POST /load  a workload is switched on or off
//	POST /judge what the judges of package check say so far
//
// All but the page need a token: the page takes it from the fragment of its address, which no browser sends, and sends it as a
// header. Requests are refused that come from a page of another origin, or by another name than that of loopback.
package live
