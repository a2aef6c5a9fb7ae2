package replay

import "embed"

// Files that are added to Go's sources. Their names end in .txt, so that this module's own build ignores them.
//
//go:embed files/*.go.txt
var files embed.FS

// added maps paths in GOROOT/src to paths in files.
var added = map[string]string{
	"runtime/rejoin.go": "files/runtime_rejoin.go.txt",
	"sync/rejoin.go":    "files/sync_rejoin.go.txt",

	"internal/runtime/maps/rejoin.go": "files/maps_rejoin.go.txt",
}

// patches connect Go's sources to the added files.
var patches = []patch{
	// The process draws the same hash keys at every start.
	{
		File: "runtime/rand.go",
		Find: "\tglobalRand.state.Init(*seed)\n",
		With: "\treplayStart(seed)\n\tglobalRand.state.Init(*seed)\n",
	},
	// Goroutines of a bubble have numbers and may keep the token while they block.
	{
		File: "runtime/runtime2.go",
		Find: "\tbubble  *synctestBubble\n",
		With: "\tbubble  *synctestBubble\n\treplaySeq  uint64\n\treplayHold bool\n",
	},
	// A bubble has a scheduler. The token starts with its root, which gives it back when it leaves.
	{
		File: "runtime/synctest.go",
		Find: "\tactive  int // other sources of activity\n",
		With: "\tactive  int // other sources of activity\n\n\treplay replayState\n",
	},
	{
		File: "runtime/synctest.go",
		Find: "\tgp.bubble = bubble\n\tdefer func() {\n",
		With: "\tgp.bubble = bubble\n\tbubble.replay.holder.set(gp)\n\tdefer func() {\n\t\treplayLeave(gp)\n",
	},
	{
		File: "runtime/synctest.go",
		Find: "\tgp.bubble = bubble.(*synctestBubble)\n\tdefer func() {\n",
		With: "\tgp.bubble = bubble.(*synctestBubble)\n\tdefer func() {\n\t\treplayLeave(gp)\n",
	},
	{
		File: "runtime/synctest.go",
		Find: "\t\trunqput(pp, bubble.main, true)\n",
		With: "\t\tif !replayReady(bubble.main) {\n\t\t\trunqput(pp, bubble.main, true)\n\t\t}\n",
	},
	// A goroutine that becomes runnable waits for the token; one that blocks, yields or ends passes it on.
	{
		File: "runtime/proc.go",
		Find: "\trunqput(mp.p.ptr(), gp, next)\n\twakep()\n",
		With: "\tif !replayReady(gp) {\n\t\trunqput(mp.p.ptr(), gp, next)\n\t\twakep()\n\t}\n",
	},
	{
		File: "runtime/proc.go",
		Find: "\t\trunqput(pp, newg, true)\n",
		With: "\t\tif !replayReady(newg) {\n\t\t\trunqput(pp, newg, true)\n\t\t}\n",
	},
	{
		File: "runtime/proc.go",
		Find: "\t\tnewg.bubble = callergp.bubble\n",
		With: "\t\tnewg.bubble = callergp.bubble\n\t\treplayNumber(newg)\n",
	},
	{
		File: "runtime/proc.go",
		Find: "\tbubble := gp.bubble\n\tif bubble != nil {\n\t\tbubble.incActive()\n",
		With: "\tbubble := gp.bubble\n\treplayed := bubble != nil && replayPark(gp, bubble)\n\tif bubble != nil {\n\t\tbubble.incActive()\n",
	},
	{
		File: "runtime/proc.go",
		Find: "\tif bubble != nil {\n\t\tbubble.decActive()\n\t}\n\n\tschedule()\n",
		With: "\tif bubble != nil {\n\t\tbubble.decActive()\n\t}\n\tif replayed {\n\t\treplayPass(gp, bubble)\n\t}\n\n\tschedule()\n",
	},
	{
		File: "runtime/proc.go",
		Find: "\t\t\tif bubble != nil {\n\t\t\t\tbubble.decActive()\n\t\t\t}\n",
		With: "\t\t\tif bubble != nil {\n\t\t\t\tbubble.decActive()\n\t\t\t}\n\t\t\tif replayed {\n" +
			"\t\t\t\tbubble.replay.leaving = 0\n\t\t\t}\n",
	},
	{
		File: "runtime/proc.go",
		Find: "\tcasgstatus(gp, _Grunning, _Gdead)\n\tgcController.",
		With: "\treplayed := gp.bubble\n\tcasgstatus(gp, _Grunning, _Gdead)\n\tif replayed != nil {\n" +
			"\t\treplayPass(gp, replayed)\n\t}\n\tgcController.",
	},
	{
		File: "runtime/proc.go",
		Find: "func gosched_m(gp *g) {\n",
		With: "func gosched_m(gp *g) {\n\tif replayYield(gp) {\n\t\treturn\n\t}\n",
	},
	{
		File: "runtime/proc.go",
		Find: "func goyield_m(gp *g) {\n",
		With: "func goyield_m(gp *g) {\n\tif replayYield(gp) {\n\t\treturn\n\t}\n",
	},
	{
		File: "runtime/proc.go",
		Find: "func internal_sync_runtime_canSpin(i int) bool {\n",
		With: "func internal_sync_runtime_canSpin(i int) bool {\n\tif getg().bubble != nil {\n\t\treturn false\n\t}\n",
	},
	// A switch between coroutines moves the token.
	{
		File: "runtime/coro.go",
		Find: "\tbubble := gp.bubble\n\tif bubble != nil {\n",
		With: "\tbubble := gp.bubble\n\treplayed := replayHandFrom(gp, bubble)\n\tif bubble != nil {\n",
	},
	{
		File: "runtime/coro.go",
		Find: "\tif bubble != nil {\n\t\tbubble.decActive()\n\t}\n",
		With: "\tif replayed {\n\t\treplayHandTo(gnext, bubble)\n\t}\n\tif bubble != nil {\n\t\tbubble.decActive()\n\t}\n",
	},
	// math/rand draws from the bubble. Maps do not: see replayMapRand.
	{
		File: "math/rand/rand.go",
		Find: "//go:linkname runtime_rand runtime.rand\n",
		With: "//go:linkname runtime_rand runtime.replayRand\n",
	},
	{
		File: "math/rand/v2/rand.go",
		Find: "//go:linkname runtime_rand runtime.rand\n",
		With: "//go:linkname runtime_rand runtime.replayRand\n",
	},
	{
		File: "runtime/rand.go",
		Find: "func rand() uint64 {\n",
		With: "func rand() uint64 {\n\tif getg().bubble != nil {\n\t\treturn replayMapRand()\n\t}\n",
	},
	{
		File: "runtime/rand.go",
		Find: "func maps_rand() uint64 {\n\treturn rand()\n",
		With: "func maps_rand() uint64 {\n\treturn replayMapRand()\n",
	},
	{
		File: "runtime/rand.go",
		Find: "func rand32() uint32 {\n\treturn uint32(rand())\n",
		With: "func rand32() uint32 {\n\treturn uint32(replayMapRand())\n",
	},
	// A select draws its ready case from the bubble, and is a point.
	{
		File: "runtime/select.go",
		Find: "cheaprandn(uint32(norder + 1))",
		With: "replayChoiceN(uint32(norder + 1))",
	},
	{
		File: "runtime/select.go",
		Find: "func selectgo(cas0 *scase, order0 *uint16, pc0 *uintptr, nsends, nrecvs int, block bool) (int, bool) {\n",
		With: "func selectgo(cas0 *scase, order0 *uint16, pc0 *uintptr, nsends, nrecvs int, block bool) (int, bool) {\n\treplayPoint()\n",
	},
	// Operations on channels are points.
	{
		File: "runtime/chan.go",
		Find: "func chansend(c *hchan, ep unsafe.Pointer, block bool, callerpc uintptr) bool {\n",
		With: "func chansend(c *hchan, ep unsafe.Pointer, block bool, callerpc uintptr) bool {\n\treplayPoint()\n",
	},
	{
		File: "runtime/chan.go",
		Find: "func chanrecv(c *hchan, ep unsafe.Pointer, block bool) (selected, received bool) {\n",
		With: "func chanrecv(c *hchan, ep unsafe.Pointer, block bool) (selected, received bool) {\n\treplayPoint()\n",
	},
	{
		File: "runtime/chan.go",
		Find: "func closechan(c *hchan) {\n",
		With: "func closechan(c *hchan) {\n\treplayPoint()\n",
	},
	// Timers that are due at one instant. A timer draws once, when it is made: whether a
	// reset adds it to the heap again depends on whether the garbage collector has caused
	// the heap to be cleaned.
	{
		File: "runtime/time.go",
		Find: "\t\t\tt.isFake = true\n\t\t}\n\t\tgp.timer = t\n",
		With: "\t\t\tt.isFake = true\n\t\t\tt.rand = replayChoice()\n\t\t}\n\t\tgp.timer = t\n",
	},
	{
		File: "runtime/time.go",
		Find: "\t\tt.isFake = true\n\t}\n\tt.modify(",
		With: "\t\tt.isFake = true\n\t\tt.rand = replayChoice()\n\t}\n\tt.modify(",
	},
	{
		File: "runtime/time.go",
		Find: "\t\t\tt.rand = cheaprand()\n",
		With: "",
	},
	{
		File: "runtime/time.go",
		Find: "return tw.timer.rand < other.timer.rand",
		With: "return replayTie(tw.timer.rand, tw.when) < replayTie(other.timer.rand, tw.when)",
	},
	// The starvation mode of a mutex follows the bubble's time.
	{
		File: "runtime/sema.go",
		Find: "func internal_sync_nanotime() int64 {\n",
		With: "func internal_sync_nanotime() int64 {\n\tif gp := getg(); gp.bubble != nil {\n\t\treturn gp.bubble.now\n\t}\n",
	},
	{
		File: "runtime/sema.go",
		Find: "\tsemacquire1(addr, false, 0, 0, waitReasonSemacquire)\n",
		With: "\tgp := getg()\n\theld := gp.replayHold\n\tgp.replayHold = true // the runtime waits for itself\n" +
			"\tsemacquire1(addr, false, 0, 0, waitReasonSemacquire)\n\tgp.replayHold = held\n",
	},
	// Handing a lock to a goroutine outside of the bubble does not pass the token.
	{
		File: "runtime/sema.go",
		Find: "\t\tif handoff && cansemacquire(addr) {\n",
		With: "\t\tif handoff && s.g.bubble == getg().bubble && cansemacquire(addr) {\n",
	},
	// A goroutine that waits for a lock held only outside of the bubble keeps the token.
	{
		File: "runtime/sema.go",
		Find: "\tsemacquire1(addr, lifo, semaBlockProfile|semaMutexProfile, skipframes, waitReasonSyncMutexLock)\n",
		With: "\tkept := replayKeep(addr, 1)\n" +
			"\tsemacquire1(addr, lifo, semaBlockProfile|semaMutexProfile, skipframes, waitReasonSyncMutexLock)\n" +
			"\treplayKept(kept)\n",
	},
	{
		File: "runtime/sema.go",
		Find: "\tsemacquire1(addr, lifo, semaBlockProfile|semaMutexProfile, skipframes, waitReasonSyncRWMutexRLock)\n",
		With: "\tkept := replayKeep(addr, 0)\n" +
			"\tsemacquire1(addr, lifo, semaBlockProfile|semaMutexProfile, skipframes, waitReasonSyncRWMutexRLock)\n" +
			"\treplayKept(kept)\n",
	},
	{
		File: "runtime/sema.go",
		Find: "\tsemacquire1(addr, lifo, semaBlockProfile|semaMutexProfile, skipframes, waitReasonSyncRWMutexLock)\n",
		With: "\tkept := replayKeep(addr, 0)\n" +
			"\tsemacquire1(addr, lifo, semaBlockProfile|semaMutexProfile, skipframes, waitReasonSyncRWMutexLock)\n" +
			"\treplayKept(kept)\n",
	},
	// The same for the lock of a file.
	{
		File: "internal/poll/fd_mutex.go",
		Find: "\t\t\truntime_Semacquire(mutexSema)\n",
		With: "\t\t\truntime_replaySemacquire(mutexSema)\n",
	},
	{
		File: "internal/poll/fd_mutex.go",
		Find: "import \"sync/atomic\"\n",
		With: "import (\n\t\"sync/atomic\"\n\t_ \"unsafe\" // for go:linkname\n)\n",
	},
	{
		File: "internal/poll/fd_mutex.go",
		Find: "func runtime_Semacquire(sema *uint32)\n",
		With: "func runtime_Semacquire(sema *uint32)\n\n" +
			"//go:linkname runtime_replaySemacquire runtime.replaySemacquire\n" +
			"func runtime_replaySemacquire(sema *uint32)\n",
	},
	// The order of a sync.Map.
	{
		File: "internal/sync/hashtriemap.go",
		Find: "//go:linkname runtime_rand runtime.rand\n",
		With: "//go:linkname runtime_rand runtime.replayMapRand\n",
	},
	// Names of temporary files differ between processes of one seed.
	{
		File: "os/tempfile.go",
		Find: "//go:linkname runtime_rand runtime.rand\n",
		With: "//go:linkname runtime_rand runtime.replayOutside\n",
	},
	// crypto/rand.
	{
		File: "crypto/internal/sysrand/rand.go",
		Find: "func Read(b []byte) {\n",
		With: "func Read(b []byte) {\n\tif replayFill(b) {\n\t\treturn\n\t}\n",
	},
	{
		File: "crypto/internal/sysrand/rand.go",
		Find: "var testingOnlyFailRead bool\n",
		With: "var testingOnlyFailRead bool\n\n//go:linkname replayFill runtime.replayFill\nfunc replayFill(b []byte) bool\n",
	},
	// Operations on locks and pools are points, and each bubble has its own pools.
	{
		File: "sync/runtime.go",
		Find: "func throw(string)\n",
		With: "//go:linkname runtime_replayPoint runtime.replayPoint\nfunc runtime_replayPoint()\n\n" +
			"//go:linkname runtime_replayBubble runtime.replayBubble\nfunc runtime_replayBubble() uint64\n\n" +
			"//go:linkname runtime_replayRest runtime.replayRest\nfunc runtime_replayRest()\n\n" +
			"//go:linkname runtime_replayLocked runtime.replayLocked\nfunc runtime_replayLocked(sema *uint32)\n\n" +
			"//go:linkname runtime_replayUnlocked runtime.replayUnlocked\n" +
			"func runtime_replayUnlocked(sema *uint32)\n\nfunc throw(string)\n",
	},
	{
		File: "sync/mutex.go",
		Find: "\tm.mu.Lock()\n",
		With: "\truntime_replayPoint()\n\truntime_replayLocked(m.replaySema())\n\tm.mu.Lock()\n",
	},
	{
		File: "sync/mutex.go",
		Find: "\treturn m.mu.TryLock()\n",
		With: "\tlocked := m.mu.TryLock()\n\tif locked {\n\t\truntime_replayLocked(m.replaySema())\n\t}\n\treturn locked\n",
	},
	{
		File: "sync/mutex.go",
		Find: "\tm.mu.Unlock()\n",
		With: "\truntime_replayUnlocked(m.replaySema())\n\tm.mu.Unlock()\n\truntime_replayPoint()\n",
	},
	{
		File: "sync/rwmutex.go",
		Find: "func (rw *RWMutex) RLock() {\n",
		With: "func (rw *RWMutex) RLock() {\n\truntime_replayPoint()\n\truntime_replayLocked(&rw.writerSem)\n",
	},
	{
		File: "sync/rwmutex.go",
		Find: "\t\tif rw.readerCount.CompareAndSwap(c, c+1) {\n",
		With: "\t\tif rw.readerCount.CompareAndSwap(c, c+1) {\n\t\t\truntime_replayLocked(&rw.writerSem)\n",
	},
	{
		File: "sync/rwmutex.go",
		Find: "func (rw *RWMutex) RUnlock() {\n",
		With: "func (rw *RWMutex) RUnlock() {\n\truntime_replayUnlocked(&rw.writerSem)\n",
	},
	{
		File: "sync/rwmutex.go",
		Find: "func (rw *RWMutex) Lock() {\n",
		With: "func (rw *RWMutex) Lock() {\n\truntime_replayPoint()\n\truntime_replayLocked(&rw.readerSem)\n",
	},
	{
		File: "sync/rwmutex.go",
		Find: "\tif !rw.readerCount.CompareAndSwap(0, -rwmutexMaxReaders) {\n",
		With: "\truntime_replayLocked(&rw.readerSem)\n" +
			"\tif !rw.readerCount.CompareAndSwap(0, -rwmutexMaxReaders) {\n" +
			"\t\truntime_replayUnlocked(&rw.readerSem)\n",
	},
	{
		File: "sync/rwmutex.go",
		Find: "func (rw *RWMutex) Unlock() {\n",
		With: "func (rw *RWMutex) Unlock() {\n\truntime_replayUnlocked(&rw.readerSem)\n",
	},
	{
		File: "sync/rwmutex.go",
		Find: "\t\trw.rUnlockSlow(r)\n\t}\n\tif race.Enabled {\n\t\trace.Enable()\n\t}\n",
		With: "\t\trw.rUnlockSlow(r)\n\t}\n\tif race.Enabled {\n\t\trace.Enable()\n\t}\n\truntime_replayPoint()\n",
	},
	{
		File: "sync/cond.go",
		Find: "func (c *Cond) Signal() {\n",
		With: "func (c *Cond) Signal() {\n\truntime_replayPoint()\n",
	},
	{
		File: "sync/cond.go",
		Find: "func (c *Cond) Broadcast() {\n",
		With: "func (c *Cond) Broadcast() {\n\truntime_replayPoint()\n",
	},
	{
		File: "sync/waitgroup.go",
		Find: "func (wg *WaitGroup) Add(delta int) {\n",
		With: "func (wg *WaitGroup) Add(delta int) {\n\truntime_replayPoint()\n",
	},
	{
		File: "sync/waitgroup.go",
		Find: "func (wg *WaitGroup) Wait() {\n",
		With: "func (wg *WaitGroup) Wait() {\n\truntime_replayPoint()\n",
	},
	{
		File: "sync/pool.go",
		Find: "\tNew func() any\n}\n",
		With: "\tNew func() any\n\n\treplay replayPools\n}\n",
	},
	{
		File: "sync/pool.go",
		Find: "\tif x == nil {\n\t\treturn\n\t}\n\tif race.Enabled {\n",
		With: "\tif x == nil {\n\t\treturn\n\t}\n\tif p.replay.put(p, x) {\n\t\treturn\n\t}\n\tif race.Enabled {\n",
	},
	{
		File: "sync/pool.go",
		Find: "func (p *Pool) Get() any {\n",
		With: "func (p *Pool) Get() any {\n\tif x, ok := p.replay.get(p); ok {\n\t\treturn x\n\t}\n",
	},
	// Iteration over maps with pointer keys follows the order of insertion.
	{
		File: "internal/runtime/maps/map.go",
		Find: "\ttombstonePossible bool\n",
		With: "\ttombstonePossible bool\n\n\treplay uint32 // where the order of its keys is kept; it fits into the padding\n",
	},
	{
		File: "internal/runtime/maps/table.go",
		Find: "\tit.group = groupSmall\n\tit.clearSeq = m.clearSeq\n",
		With: "\tit.group = groupSmall\n\tit.clearSeq = m.clearSeq\n\tit.replayInit()\n",
	},
	{
		File: "internal/runtime/maps/table.go",
		Find: "\tif it.dirIdx < 0 {\n\t\t// Map was small at Init.\n",
		With: "\tif it.dirIdx == replayDir {\n\t\tit.replayNext()\n\t\treturn\n\t}\n\n\tif it.dirIdx < 0 {\n\t\t// Map was small at Init.\n",
	},
	{
		File: "internal/runtime/maps/runtime.go",
		Find: "func runtime_mapassign(typ *abi.MapType, m *Map, key unsafe.Pointer) unsafe.Pointer {\n",
		With: "func runtime_mapassign(typ *abi.MapType, m *Map, key unsafe.Pointer) unsafe.Pointer {\n" +
			"\tif !replayOrdered(typ, m) {\n\t\treturn replayAssign(typ, m, key)\n\t}\n\treplayBefore(typ, m)\n" +
			"\tused := m.used\n\tslot := replayAssign(typ, m, key)\n\tif m.used != used {\n" +
			"\t\treplayAfter(typ, m, key)\n\t}\n\treturn slot\n}\n\n" +
			"func replayAssign(typ *abi.MapType, m *Map, key unsafe.Pointer) unsafe.Pointer {\n",
	},
	{
		File: "internal/runtime/maps/runtime_fast64.go",
		Find: "func runtime_mapassign_fast64ptr(typ *abi.MapType, m *Map, key unsafe.Pointer) unsafe.Pointer {\n",
		With: "func runtime_mapassign_fast64ptr(typ *abi.MapType, m *Map, key unsafe.Pointer) unsafe.Pointer {\n" +
			"\tif !replayOrdered(typ, m) {\n\t\treturn replayAssign64(typ, m, key)\n\t}\n\treplayBefore(typ, m)\n" +
			"\tused := m.used\n\tslot := replayAssign64(typ, m, key)\n\tif m.used != used {\n" +
			"\t\treplayAfterPointer(typ, m, key)\n\t}\n\treturn slot\n}\n\n" +
			"func replayAssign64(typ *abi.MapType, m *Map, key unsafe.Pointer) unsafe.Pointer {\n",
	},
	{
		File: "runtime/time.go",
		Find: "\t\tif gp.preemptStop {\n",
		With: "\t\tif gp.preemptStop && gp.bubble == nil {\n",
	},
	// Stacks begin at 8 KiB instead of 2: a run has hundreds of short-lived goroutines, and
	// most of them would copy their stacks.
	{
		File: "runtime/stack.go",
		Find: "\tif avg < fixedStack {\n\t\tavg = fixedStack\n",
		With: "\tif avg < 8192 {\n\t\tavg = 8192\n",
	},
}
