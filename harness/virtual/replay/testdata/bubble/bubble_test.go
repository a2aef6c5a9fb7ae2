// Package bubble is a small program for versions_test.go. It prints digests of the random choices in a bubble, while
// goroutines outside of the bubble interfere.
package bubble

import (
	crand "crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand"
	randv2 "math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

var (
	seed       = flag.Uint64("seed", 1, "seed of the bubble")
	interleave = flag.Uint64("interleave", 0, "interleaving of the bubble")
	yield      = flag.Float64("yield", 0, "yield probability of the bubble")
	threads    = flag.Int("threads", 1, "threads of the program")
)

// outside is a lock that goroutines in the bubble and outside of it share.
var outside struct {
	sync.Mutex
	n int
}

var sources = []struct {
	name string
	play func(said io.Writer)
}{
	{"select", selects},
	{"timers", timers},
	{"locks", locks},
	{"numbers", numbers},
	{"secrets", secrets},
	{"maps", maps},
	{"pools", pools},
	{"files", files},
	{"outside", sharing},
}

func mustBeExact(t *testing.T) {
	if !replay.Exact() {
		t.Skip("the program is not built for exact replay, as versions_test.go builds it")
	}
}

func TestChoices(t *testing.T) {
	mustBeExact(t)
	runtime.GOMAXPROCS(*threads)
	stop := make(chan struct{})
	var around sync.WaitGroup
	defer around.Wait()
	defer close(stop)
	around.Go(func() { interfere(stop) })
	synctest.Test(t, func(*testing.T) {
		replay.Begin(replay.Schedule{Seed: *seed, Interleave: *interleave, Yield: *yield})
		for _, s := range sources {
			h := fnv.New64a()
			s.play(h)
			fmt.Printf("%s %016x %016x\n", s.name, h.Sum64(), replay.Now().Hash)
		}
	})
}

// atFirst is shared by all bubbles of the process.
var atFirst sync.Once

// The first bubble of a process fills caches of the process. Its run must equal that of the second.
func TestFirst(t *testing.T) {
	mustBeExact(t)
	type seen struct {
		state replay.State
		drawn uint64
	}
	var all [2]seen
	for i := range all {
		synctest.Test(t, func(t *testing.T) {
			replay.Begin(replay.Schedule{Seed: *seed, Yield: 1})
			atFirst.Do(func() {})
			if _, err := json.Marshal(struct{ A, B int }{}); err != nil { // caches type information
				t.Fatal(err)
			}
			all[i] = seen{replay.Now(), randv2.Uint64()}
		})
	}
	if all[0] != all[1] {
		t.Errorf("the first bubble saw %v, and the second %v", all[0], all[1])
	}
}

// interfere uses the CPU, runs the garbage collector, and takes the lock, until stop is closed.
func interfere(stop <-chan struct{}) {
	var garbage [][]byte
	for {
		select {
		case <-stop:
			return
		default:
		}
		outside.Lock()
		for range 100 {
			garbage = append(garbage, make([]byte, 1000))
			outside.n++
		}
		outside.Unlock()
		if len(garbage) > 1000 {
			garbage = nil
			runtime.GC()
		}
		runtime.Gosched()
	}
}

func selects(said io.Writer) {
	a, b := make(chan int, 1), make(chan int, 1)
	for range 64 {
		a <- 1
		b <- 1
		select {
		case <-a:
			fmt.Fprint(said, "a")
			<-b
		case <-b:
			fmt.Fprint(said, "b")
			<-a
		}
	}
}

// timers uses timers of all kinds that are due at one instant and are reset.
func timers(said io.Writer) {
	order := make(chan string, 1000)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			t := time.NewTimer(time.Hour)
			for n := range 10 {
				t.Reset(time.Millisecond)
				select {
				case <-t.C:
				case <-time.After(time.Millisecond):
				}
				time.Sleep(time.Millisecond)
				order <- fmt.Sprint(i, n)
			}
		})
	}
	all.Wait()
	for range 200 {
		fmt.Fprint(said, <-order)
	}
}

func locks(said io.Writer) {
	var mu sync.Mutex
	var rw sync.RWMutex
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for range 10 {
				mu.Lock()
				fmt.Fprint(said, i)
				runtime.Gosched()
				mu.Unlock()
				rw.RLock()
				runtime.Gosched()
				rw.RUnlock()
				rw.Lock()
				fmt.Fprint(said, -i)
				rw.Unlock()
			}
		})
	}
	all.Wait()
}

func numbers(said io.Writer) {
	for range 10 {
		fmt.Fprint(said, rand.Int63(), randv2.Uint64(), rand.Perm(5))
	}
}

func secrets(said io.Writer) {
	var b [40]byte
	_, _ = crand.Read(b[:]) // which never fails
	_, _ = crand.Read(b[:]) // never fails
}

func maps(said io.Writer) {
	numbers, pointers := make(map[int]bool), make(map[*int]int)
	var shared sync.Map
	for i := range 100 {
		numbers[i] = true
		pointers[new(int)] = i
		shared.Store(i, i)
	}
	for i := range numbers {
		fmt.Fprint(said, i)
	}
	for _, i := range pointers {
		fmt.Fprint(said, i)
	}
	shared.Range(func(key, _ any) bool {
		fmt.Fprint(said, key)
		return true
	})
}

// pools prints what a pool returns, and leaves finalizers behind.
func pools(said io.Writer) {
	made := 0
	pool := sync.Pool{New: func() any { made++; return &made }}
	for range 50 {
		x := new(int)
		runtime.SetFinalizer(x, func(*int) { outside.n++ })
		pool.Put(x)
		_ = make([]byte, 1<<16)
		if pool.Get() == &made {
			fmt.Fprint(said, "made")
		}
		pool.Get()
	}
	fmt.Fprint(said, made)
}

// files reads a file, in a system call, while other goroutines are runnable.
func files(said io.Writer) {
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for range 20 {
				content, err := os.ReadFile("bubble_test.go")
				fmt.Fprint(said, i, len(content) > 0, err)
				runtime.Gosched()
			}
		})
	}
	all.Wait()
}

// sharing takes a lock that is held outside of the bubble most of the time.
func sharing(said io.Writer) {
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			for range 100 {
				outside.Lock()
				outside.n++
				outside.Unlock()
				fmt.Fprint(said, i)
			}
			runtime.Gosched()
		})
	}
	all.Wait()
}

// TestOneAtATime constantly wakes goroutines of a bubble from outside of it. Only one of them may run at a time.
func TestOneAtATime(t *testing.T) {
	mustBeExact(t)
	runtime.GOMAXPROCS(*threads)
	const woken, times = 8, 5000
	wakes := make([]chan int, woken)
	var around sync.WaitGroup
	for i := range wakes {
		wakes[i] = make(chan int)
		around.Go(func() {
			for n := range times {
				wakes[i] <- n
			}
			close(wakes[i])
		})
	}
	running, most := 0, 0 // neither is guarded
	synctest.Test(t, func(*testing.T) {
		replay.Begin(replay.Schedule{Seed: *seed})
		var all sync.WaitGroup
		for _, wake := range wakes {
			all.Go(func() {
				for range wake {
					running++
					for range 1000 {
						most = max(most, running)
					}
					running--
				}
			})
		}
		all.Wait()
	})
	around.Wait()
	if most != 1 || running != 0 {
		t.Errorf("%d goroutines ran at once, and %d are left", most, running)
	}
}

// TestManyBubbles fills maps in one bubble and changes them in hundreds of later ones. The recorded
// order of such a map is never that of another map.
func TestManyBubbles(t *testing.T) {
	mustBeExact(t)
	const maps, keys, bubbles = 64, 20, 300
	kept := make([]map[*int]bool, maps)
	synctest.Test(t, func(*testing.T) {
		replay.Begin(replay.Schedule{Seed: *seed})
		for i := range kept {
			kept[i] = make(map[*int]bool)
			for range keys {
				kept[i][new(int)] = true
			}
		}
	})
	for range bubbles {
		synctest.Test(t, func(t *testing.T) {
			replay.Begin(replay.Schedule{Seed: *seed})
			made := make([]map[any]int, maps)
			for i := range made {
				made[i] = make(map[any]int)
				for n := range keys {
					made[i][new(int)] = n
				}
			}
			for _, m := range kept {
				for range keys {
					m[new(int)] = true
				}
			}
			for _, m := range made {
				seen := 0
				for range m {
					seen++
				}
				if seen != keys {
					t.Errorf("an iteration over %d keys saw %d", keys, seen)
				}
			}
		})
	}
}
