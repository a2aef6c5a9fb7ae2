// Package runs keeps the pages of the latest runs in a folder, with a page that lists them.
//
//	reports/index.html                          the page of the latest run
//	reports/runs/index.html                     the list of runs, the newest first
//	reports/runs/20260102T150405Z-17/index.html the page of a run, which began at that time with that seed
//	reports/runs/20260102T150405Z-17/run.json   what the list says about it
//
// At most [Most] runs are kept, and fewer if they take more than [MostBytes]. The page of a run holds its journals. A folder that
// Keep makes has a .gitignore, so that git ignores it.
package runs
