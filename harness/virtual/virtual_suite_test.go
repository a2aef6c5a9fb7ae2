package virtual_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestVirtual(t *testing.T) {
	RegisterFailHandler(Fail)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Virtual")
}

// outside returns the real time, as seen by a goroutine outside of all bubbles.
var outside = func() func() time.Time {
	ask, answer := make(chan struct{}), make(chan time.Time)
	go func() {
		for range ask {
			answer <- time.Now()
		}
	}()
	return func() time.Time { ask <- struct{}{}; return <-answer }
}()
