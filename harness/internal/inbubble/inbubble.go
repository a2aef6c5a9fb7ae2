// Package inbubble tells whether the caller runs in a bubble of testing/synctest.
package inbubble

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
)

// ErrInside is the error of what needs real sockets or processes and is asked for in a
// bubble. A goroutine that waits for a socket keeps virtual time from passing, so each
// timeout in the bubble would hang.
var ErrInside = errors.New("a cluster on real sockets cannot be booted in a synctest bubble, in which a wait for a socket stops time: " +
	"boot a virtual target there, or boot this one outside of the bubble")

// Mark is what the header of a stack says of a goroutine in a bubble, before its number.
const Mark = "synctest bubble "

// Own returns the number of the bubble that the caller is in; 0 if it is in none.
// testing/synctest has no call for that: its Wait panics outside of a bubble, but blocks
// inside until all other goroutines wait. The header of the caller's stack has the number.
func Own() int64 {
	line := make([]byte, 256)
	line = line[:runtime.Stack(line, false)]
	head, _, _ := strings.Cut(string(line), "\n")
	return In(head)
}

// In returns the number of the bubble that the header of a goroutine's stack names, as in
// "goroutine 7 [running, synctest bubble 3]:"; 0 if it names none.
func In(head string) int64 {
	_, after, found := strings.Cut(head, Mark)
	if !found {
		return 0
	}
	digits := strings.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })
	number, err := strconv.ParseInt(after[:max(digits, 0)], 10, 64)
	if err != nil {
		return 0
	}
	return number
}
