package inbubble_test

import (
	"testing"
	"testing/synctest"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/internal/inbubble"
)

// If this fails after a change of Go, the header of a stack says it in other words.
func TestOwn(t *testing.T) {
	g := NewWithT(t)
	g.Expect(inbubble.Own()).To(BeZero(), "outside of a bubble")
	var first, second, started int64
	synctest.Test(t, func(*testing.T) {
		first = inbubble.Own()
		go func() { started = inbubble.Own() }()
		synctest.Wait()
	})
	synctest.Test(t, func(*testing.T) { second = inbubble.Own() })
	g.Expect(first).To(BeNumerically(">", 0), "inside a bubble")
	g.Expect(started).To(Equal(first), "a goroutine that the bubble started")
	g.Expect(second).To(BeNumerically(">", first), "inside another bubble")
	g.Expect(inbubble.Own()).To(BeZero(), "outside again")
}

func TestIn(t *testing.T) {
	g := NewWithT(t)
	for head, number := range map[string]int64{
		"goroutine 7 [running, synctest bubble 3]:":          3,
		"goroutine 7 [select (durable), synctest bubble 12]": 12,
		"goroutine 7 [running]:":                             0,
		"goroutine 7 [running, synctest bubble ":             0,
		"":                                                   0,
	} {
		g.Expect(inbubble.In(head)).To(Equal(number), head)
	}
}
