// Command sample has a site for every operator of package mutate. The output of each mutant differs from that of
// the program itself.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	most = 2
	wait = 3 * time.Second
)

type counter struct {
	mu     sync.Mutex
	n      int
	closed bool
	log    []string
}

func (c *counter) close() { c.closed = true }

// String has no mutants, because it only formats text.
func (c *counter) String() string { return fmt.Sprintf("n=%d closed=%t %v", c.n, c.closed, c.log) }

func (c *counter) count(values []int) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.close()
	for _, v := range values {
		if v < 0 {
			continue
		}
		if c.n >= most {
			break
		}
		c.n++
		c.note(v)
	}
	if c.n == most {
		err = errors.New("full")
	}
	return err
}

func (c *counter) note(v int) { c.log = append(c.log, strconv.FormatBool(v == c.n)) }

func check(c *counter) error {
	if err := c.count([]int{-1, 0, 2, len(os.Args)}); err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}

func main() {
	c := new(counter)
	err := check(c)
	fmt.Println(c, err, c.log)
	fmt.Println(longest())
}

func longest() time.Duration { return wait }
