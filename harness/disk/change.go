package disk

// change is a change of stable storage that is applied atomically.
type change interface{ apply(f *FS) error }

type creation struct {
	inode *inode
	name  string
	size  int64
}

type renaming struct {
	inode    *inode
	from, to string
}

type removal struct{ name string }

// writing is the data that a sync makes durable.
type writing struct {
	inode *inode
	spans []span
	// through means that the file itself must be synced even without spans: it was written
	// directly.
	through bool
}

func (c creation) apply(f *FS) error {
	file, err := f.disk.stable.create(c.name, c.size)
	if err != nil {
		return err
	}
	length, err := file.length()
	f.mu.Lock()
	defer f.mu.Unlock()
	c.inode.file, c.inode.stableName = file, c.name
	c.inode.size = max(c.inode.size, length)
	f.open[c.inode] = struct{}{}
	return err
}

func (c renaming) apply(f *FS) error {
	if err := f.disk.stable.rename(c.from, c.to); err != nil {
		return err
	}
	c.inode.stableName = c.to
	return nil
}

func (c removal) apply(f *FS) error { return f.disk.stable.remove(c.name) }

func (c writing) apply(f *FS) error {
	if len(c.spans) == 0 && !c.through {
		return nil
	}
	if err := c.write(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c.inode.spans = c.inode.spans[len(c.spans):]
	c.inode.claimed = max(c.inode.claimed-len(c.spans), 0)
	if len(c.inode.spans) == 0 {
		c.inode.spans = nil // release the memory
	}
	return nil
}

func (c writing) write() error {
	for _, s := range c.spans {
		if _, err := c.inode.file.WriteAt(s.data, s.offset); err != nil {
			return err
		}
	}
	return c.inode.file.sync()
}

// half returns the first half of the bytes.
func (c writing) half() writing {
	left := 0
	for _, s := range c.spans {
		left += len(s.data)
	}
	left /= 2
	half := writing{inode: c.inode}
	for _, s := range c.spans {
		s.data = s.data[:min(len(s.data), left)]
		left -= len(s.data)
		half.spans = append(half.spans, s)
	}
	return half
}

// persist makes a change durable, after all held changes. A lying disk only holds the change. The
// caller must hold order.
func (f *FS) persist(c change) error {
	if f.disk.Faults().Lying {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.held = append(f.held, c)
		if w, is := c.(writing); is {
			w.inode.claimed += len(w.spans)
		}
		return nil
	}
	if err := f.writeBack(); err != nil {
		return err
	}
	return c.apply(f)
}

// writeBack makes the held changes durable, in their order. The caller must hold order, or the
// node must no longer use the disk.
func (f *FS) writeBack() error {
	for {
		f.mu.Lock()
		if len(f.held) == 0 {
			f.mu.Unlock()
			return nil
		}
		next := f.held[0]
		f.mu.Unlock()
		if err := next.apply(f); err != nil {
			return err
		}
		f.mu.Lock()
		f.held = f.held[1:]
		f.mu.Unlock()
	}
}

func (f *FS) holds() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.held) > 0
}
