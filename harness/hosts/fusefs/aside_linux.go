package fusefs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// aside keeps what a crash would restore: removed files under other names, and the former content of
// overwritten pages. Content that exceeds the memory limit is in a file without a name.
type aside struct {
	dir    string
	memory int64 // limit in bytes

	mu      sync.Mutex
	used    int64 // memory in bytes
	spill   *os.File
	spilled int64 // length of spill
	names   int   // number of names that were given out
}

func newAside(dir string, memory int64) (*aside, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	return &aside{dir: dir, memory: memory}, nil
}

// name returns an unused path.
func (a *aside) name() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names++
	return filepath.Join(a.dir, fmt.Sprint(a.names))
}

// kept is content that was put aside. Without data and with offset -1 it is zeros.
type kept struct {
	length int
	data   []byte
	offset int64 // in the spill file, if there is no data
}

// keep puts a copy of content aside.
func (a *aside) keep(content []byte) (kept, error) {
	k := kept{length: len(content), offset: -1}
	if zero(content) {
		return k, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used+int64(len(content)) <= a.memory {
		a.used += int64(len(content))
		k.data = append([]byte(nil), content...)
		return k, nil
	}
	if err := a.openSpillLocked(); err != nil {
		return kept{}, err
	}
	if _, err := a.spill.WriteAt(content, a.spilled); err != nil {
		return kept{}, err
	}
	k.offset = a.spilled
	a.spilled += int64(len(content))
	return k, nil
}

func (a *aside) openSpillLocked() error {
	if a.spill != nil {
		return nil
	}
	file, err := os.CreateTemp(a.dir, "spill")
	if err != nil {
		return err
	}
	a.spill = file
	return os.Remove(file.Name())
}

// content returns what was kept.
func (a *aside) content(k kept) ([]byte, error) {
	if k.data != nil {
		return k.data, nil
	}
	content := make([]byte, k.length)
	if k.offset < 0 {
		return content, nil
	}
	a.mu.Lock()
	spill := a.spill
	a.mu.Unlock()
	_, err := spill.ReadAt(content, k.offset)
	return content, err
}

// drop forgets kept content in memory. The space in the spill file is freed by empty.
func (a *aside) drop(k kept) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used -= int64(len(k.data))
}

// empty forgets all kept content. Files under other names stay.
func (a *aside) empty() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	spill := a.spill
	a.used, a.spill, a.spilled = 0, nil, 0
	if spill == nil {
		return nil
	}
	return spill.Close()
}

func (a *aside) remove() error { return errors.Join(a.empty(), os.RemoveAll(a.dir)) }

func zero(content []byte) bool {
	for _, b := range content {
		if b != 0 {
			return false
		}
	}
	return true
}
