package fusefs

import (
	"sync"

	"golang.org/x/sys/unix"
)

// cache tells whether the kernel's cache of a file's content is right when the file is opened: nothing but the kernel has changed
// the file since.
type cache struct {
	mu      sync.Mutex
	writers int     // handles through which the kernel may change the file
	known   version // when it was last opened or closed without writers
}

// version changes when a file's content is changed.
type version struct {
	size     int64
	modified unix.Timespec
	changed  unix.Timespec
}

func versionOf(h *handle) version {
	var stat unix.Stat_t
	if err := unix.Fstat(h.fd, &stat); err != nil {
		return version{size: -1} // never known
	}
	return version{stat.Size, stat.Mtim, stat.Ctim}
}

// opened returns whether the cache is right.
func (c *cache) opened(h *handle) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := versionOf(h)
	right := c.writers > 0 || now.size >= 0 && now == c.known
	c.known = now
	if h.writable {
		c.writers++
	}
	return right
}

// closed notes that the kernel has closed a handle.
func (c *cache) closed(h *handle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !h.writable {
		return
	}
	c.writers--
	if c.writers == 0 {
		c.known = versionOf(h)
	}
}
