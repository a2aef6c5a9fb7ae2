package fabric

import (
	"container/heap"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

// queue holds the packets of a link that are on their way. Those of one flow are due in the order in which they were sent,
// except for one that is to be late.
type queue struct {
	items    []*item // a heap: the first is due next
	sequence uint64
	bytes    int
	tails    map[packet.Flow]*tail
	late     *item // waits for the packet that will overtake it
}

// item is a packet on its way.
type item struct {
	packet packet.Packet
	flow   packet.Flow
	due    time.Time
	order  uint64  // among those that are due at once
	share  float64 // random, at least 0 and below 1: how much of the jitter it gets
	at     int     // its place in the heap
	late   bool    // it is to be late
	// What happened to it, for the counters.
	overtaken, again bool
}

// tail is the end of a flow in the queue.
type tail struct {
	due   time.Time
	items int
}

func (q *queue) Len() int { return len(q.items) }

func (q *queue) Less(i, j int) bool {
	a, b := q.items[i], q.items[j]
	if !a.due.Equal(b.due) {
		return a.due.Before(b.due)
	}
	return a.order < b.order
}

func (q *queue) Swap(i, j int) {
	q.items[i], q.items[j] = q.items[j], q.items[i]
	q.items[i].at, q.items[j].at = i, j
}

// Push is for package heap; put is for the others.
func (q *queue) Push(x any) {
	i := x.(*item)
	i.at = len(q.items)
	q.items = append(q.items, i)
}

// Pop is for package heap; next is for the others.
func (q *queue) Pop() any {
	last := len(q.items) - 1
	i := q.items[last]
	q.items[last] = nil
	q.items = q.items[:last]
	return i
}

// put adds a packet that is due at a time, but not before those of its flow that were sent earlier.
func (q *queue) put(i *item) {
	q.sequence++
	i.order = q.sequence
	q.bytes += len(i.packet)
	if !i.late {
		q.follow(i)
	}
	heap.Push(q, i)
	switch {
	case i.late:
		q.late = i
	case q.late != nil: // the packet that was to be late comes right after this one
		q.sequence++
		q.late.due, q.late.order, q.late.overtaken = i.due, q.sequence, true
		heap.Fix(q, q.late.at)
		q.late = nil
	}
}

// follow puts an item after the others of its flow.
func (q *queue) follow(i *item) {
	if q.tails == nil {
		q.tails = map[packet.Flow]*tail{}
	}
	t := q.tails[i.flow]
	if t == nil {
		t = &tail{}
		q.tails[i.flow] = t
	}
	if i.due.Before(t.due) {
		i.due = t.due
	}
	t.due = i.due
	t.items++
}

// next removes the first item.
func (q *queue) next() *item {
	i := heap.Pop(q).(*item)
	q.bytes -= len(i.packet)
	if q.late == i {
		q.late = nil
	}
	if t := q.tails[i.flow]; t != nil && !i.late {
		if t.items--; t.items == 0 {
			delete(q.tails, i.flow)
		}
	}
	return i
}

// reschedule makes every item due anew.
func (q *queue) reschedule(due func(*item) time.Time) {
	q.tails, q.late = nil, nil
	slices.SortFunc(q.items, func(a, b *item) int { return int(int64(a.order - b.order)) })
	for _, i := range q.items {
		i.due = due(i)
		if !i.late {
			q.follow(i)
		}
	}
	for at, i := range q.items {
		i.at = at
	}
	heap.Init(q)
}
