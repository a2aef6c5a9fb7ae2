package fusefs_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/fusefs"
)

// model is a simple model of the disk: whole copies of what programs see and of what is durable.
type model struct {
	seen, durable map[string]*content // by path; nil is a directory
	claimed       map[*content]bool
	lying         bool
}

type content struct {
	seen, durable string
	unsynced      bool
}

func newModel() *model {
	return &model{seen: make(map[string]*content), durable: make(map[string]*content), claimed: make(map[*content]bool)}
}

// sync is a sync of a file, or of a directory if c is nil.
func (m *model) sync(c *content) {
	if c != nil && c.unsynced {
		m.claimed[c] = true
	}
	if m.lying {
		return
	}
	for c := range m.claimed {
		c.durable, c.unsynced = c.seen, false
	}
	clear(m.claimed)
	m.durable = maps.Clone(m.seen)
}

func (m *model) crash() {
	clear(m.claimed)
	m.seen = maps.Clone(m.durable)
	for _, c := range m.seen {
		if c != nil {
			c.seen, c.unsynced = c.durable, false
		}
	}
}

// move renames a file, or a directory with all that is in it.
func (m *model) move(from, to string) {
	moved := make(map[string]*content)
	for name, c := range m.seen {
		if name == from || strings.HasPrefix(name, from+"/") {
			moved[to+name[len(from):]] = c
			delete(m.seen, name)
		}
	}
	maps.Copy(m.seen, moved)
}

func (m *model) empty(dir string) bool {
	for name := range m.seen {
		if strings.HasPrefix(name, dir+"/") {
			return false
		}
	}
	return true
}

// list returns all paths, sorted.
func list(root string) []string {
	GinkgoHelper()
	names := []string{}
	Expect(filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if path != root {
			names = append(names, path[len(root)+1:])
		}
		return err
	})).To(Succeed())
	slices.Sort(names)
	return names
}

// steps applies random operations to a disk and to its model.
type steps struct {
	*mounted
	model  *model
	random *rand.Rand
	done   []string
}

func (s *steps) note(format string, args ...any) {
	s.done = append(s.done, fmt.Sprintf(format, args...))
}

// name returns a path that may exist, in a directory that does.
func (s *steps) name() string {
	dirs := []string{""}
	for name, c := range s.model.seen {
		if c == nil && strings.Count(name, "/") < 2 {
			dirs = append(dirs, name+"/")
		}
	}
	slices.Sort(dirs)
	return dirs[s.random.IntN(len(dirs))] + string(rune('a'+s.random.IntN(4)))
}

func (s *steps) step(ctx SpecContext) {
	GinkgoHelper()
	name, other := s.name(), s.name()
	c, exists := s.model.seen[name]
	target, replaces := s.model.seen[other]
	isFile := exists && c != nil
	switch kind := s.random.IntN(20); {
	case kind == 0:
		s.note("crash")
		s.crash(ctx)
		s.model.crash()
	case kind == 1:
		s.model.lying = !s.model.lying
		s.note("lying %v", s.model.lying)
		Expect(s.Set(fault.Disk{Lying: s.model.lying})).To(Succeed())
	case kind == 2 && !exists:
		s.note("mkdir %s", name)
		Expect(os.Mkdir(s.path(name), 0o755)).To(Succeed())
		s.model.seen[name] = nil
	case !exists && kind < 6 && replaces && target != nil:
		s.note("link %s %s", other, name)
		Expect(os.Link(s.path(other), s.path(name))).To(Succeed())
		s.model.seen[name] = target
	case !exists:
		s.note("create %s", name)
		s.write(name, "")
		s.model.seen[name] = &content{unsynced: true}
	case kind < 5 && exists && (isFile || s.model.empty(name)):
		s.note("remove %s", name)
		Expect(os.Remove(s.path(name))).To(Succeed())
		delete(s.model.seen, name)
	case kind < 8 && name != other && !strings.HasPrefix(other, name+"/") && !strings.HasPrefix(name, other+"/") &&
		(!replaces || isFile && target != nil && target != c || !isFile && target == nil && s.model.empty(other)):
		s.note("rename %s %s", name, other)
		Expect(syscall.Rename(s.path(name), s.path(other))).To(Succeed()) // os.Rename replaces no directory
		delete(s.model.seen, other)
		s.model.move(name, other)
	case !isFile:
		s.note("sync %s", name)
		s.sync(name)
		s.model.sync(nil)
	case kind < 11:
		s.note("sync %s", name)
		s.sync(name)
		s.model.sync(c)
	case kind < 13:
		size := s.random.IntN(12_000)
		s.note("truncate %s %d", name, size)
		Expect(os.Truncate(s.path(name), int64(size))).To(Succeed())
		c.unsynced = true
		c.seen = (c.seen + string(make([]byte, 12_000)))[:size]
	default:
		s.overwrite(name, c)
	}
}

func (s *steps) overwrite(name string, c *content) {
	GinkgoHelper()
	at := s.random.IntN(len(c.seen) + 1)
	text := strings.Repeat(string(rune('A'+s.random.IntN(26))), 1+s.random.IntN(5000))
	s.note("write %s %d %d", name, at, len(text))
	file := must(os.OpenFile(s.path(name), os.O_RDWR, 0))
	must(file.WriteAt([]byte(text), int64(at)))
	Expect(file.Close()).To(Succeed())
	c.unsynced = true
	c.seen = c.seen[:at] + text + c.seen[min(at+len(text), len(c.seen)):]
}

// runs describes content: the first of equal bytes, and their number.
func runs(content string) string {
	var text strings.Builder
	for len(content) > 0 {
		rest := strings.TrimLeft(content, content[:1])
		fmt.Fprintf(&text, "%q*%d ", content[0], len(content)-len(rest))
		content = rest
	}
	return text.String()
}

var _ = Describe("A disk and its model", func() {
	It("have the same content after any operations and after every crash", func(ctx SpecContext) {
		seed := uint64(GinkgoRandomSeed())
		for run := range uint64(8) {
			s := &steps{
				mounted: fresh(fusefs.Options{Memory: 20_000}), model: newModel(), random: rand.New(rand.NewPCG(seed, run)),
			}
			for range 200 {
				s.step(ctx)
				Expect(list(s.at)).To(HaveExactElements(slices.Sorted(maps.Keys(s.model.seen))), "seed %d, run %d: %v", seed, run, s.done)
				for name, c := range s.model.seen {
					if c != nil && s.read(name) != c.seen {
						Fail(fmt.Sprintf("%s is %s, not %s, after seed %d, run %d: %v", name, runs(s.read(name)), runs(c.seen), seed, run,
							s.done[max(0, len(s.done)-80):]))
					}
				}
			}
		}
	})
})
