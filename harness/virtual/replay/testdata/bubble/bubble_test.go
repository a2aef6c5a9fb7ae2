// Package bubble is a small program for versions_test.go: what it prints is what chance
// chose in a bubble.
package bubble

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
)

func TestChoices(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		a, b := make(chan int, 1), make(chan int, 1)
		chosen := ""
		for range 64 {
			a <- 1
			b <- 1
			select {
			case <-a:
				chosen += "a"
				<-b
			case <-b:
				chosen += "b"
				<-a
			}
		}
		fmt.Println(chosen)
	})
}

// What is kept for the process is made in the first bubble that needs it, and changes
// nothing in it.
func TestFirst(t *testing.T) {
	var drawn [2]uint64
	for i := range drawn {
		synctest.Test(t, func(t *testing.T) {
			if _, err := json.Marshal(struct{ A, B int }{}); err != nil { // it keeps what it found out of the type
				t.Fatal(err)
			}
			drawn[i] = rand.Uint64()
		})
	}
	if drawn[0] != drawn[1] {
		t.Errorf("the first bubble draws %x, and one that is like it %x", drawn[0], drawn[1])
	}
}
