package replay

import "embed"

// Files that are added to Go's sources. They are text here, so that this module's own
// build does not take them for its own.
//
//go:embed files/*.go.txt
var files embed.FS

// added maps files of GOROOT/src to those of files.
var added = map[string]string{
	"runtime/rejoin.go": "files/runtime_rejoin.go.txt",
}

// patches change Go's sources.
var patches = []patch{
	// Every bubble has randomness of its own, which does not depend on the thread.
	{
		File: "runtime/synctest.go",
		Find: "	active  int // other sources of activity\n",
		With: "	active  int // other sources of activity\n\n	rnd uint64 // state of the bubble's own randomness\n",
	},
	{
		File: "runtime/synctest.go",
		Find: "	bubble.now = synctestBaseTime\n",
		With: "	bubble.now = synctestBaseTime\n	bubble.rnd = 0x9e3779b97f4a7c15\n",
	},
	{
		File: "runtime/rand.go",
		Find: "func rand() uint64 {\n",
		With: "func rand() uint64 {\n	if x, ok := bubbleRand(); ok {\n		return x\n	}\n",
	},
	// Which ready case of a select, which of two timers of one instant, which waiter of a semaphore.
	{
		File: "runtime/select.go",
		Find: "cheaprandn(uint32(norder + 1))",
		With: "bubbleRandn(uint32(norder + 1))",
	},
	{
		File: "runtime/time.go",
		Find: "t.rand = cheaprand()",
		With: "t.rand = bubbleRand32()",
	},
	{
		File: "runtime/sema.go",
		Find: "s.ticket = cheaprand() | 1",
		With: "s.ticket = bubbleRand32() | 1",
	},
	// A mutex turns fair after 1 ms of waiting: of the bubble's time.
	{
		File: "runtime/sema.go",
		Find: "func internal_sync_nanotime() int64 {\n",
		With: "func internal_sync_nanotime() int64 {\n	if gp := getg(); gp.bubble != nil {\n		return gp.bubble.now\n	}\n",
	},
	// On one processor the monitor takes it from no goroutine, neither after a long run nor in a call into C.
	{
		File: "runtime/proc.go",
		Find: "func retake(now int64) uint32 {\n",
		With: "func retake(now int64) uint32 {\n	if gomaxprocs == 1 {\n		return 0\n	}\n",
	},
	// Collect only when the whole bubble waits for time (run with GOGC=off).
	{
		File: "runtime/synctest.go",
		Find: "		bubble.now = next\n	}\n",
		With: `		if gcController.heapLive.Load() > bubbleGCAt {
			unlock(&bubble.mu)
			GC()
			bubbleGCAt = gcController.heapLive.Load() + 64<<20
			lock(&bubble.mu)
		}
		bubble.now = next
	}
`,
	},
}
