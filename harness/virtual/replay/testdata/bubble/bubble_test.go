// Package bubble is a small program for versions_test.go: what it prints is what chance
// chose in a bubble.
package bubble

import (
	"fmt"
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
