package disk_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// model is a simple model of a disk: the content that the node sees, and the durable content.
// Changes confirmed by a lying disk are applied to the durable content when the fault has ended.
type model struct {
	seen, durable map[string]*content
	lied          []func()
}

type content struct{ seen, durable string }

func (m *model) keep(lying bool, what func()) {
	m.lied = append(m.lied, what)
	if !lying {
		for _, what := range m.lied {
			what()
		}
		m.lied = nil
	}
}

func (m *model) crash() {
	m.lied, m.seen = nil, make(map[string]*content)
	for name, c := range m.durable {
		m.seen[name] = &content{seen: c.durable, durable: c.durable}
	}
	m.durable = make(map[string]*content)
	for name, c := range m.seen {
		m.durable[name] = c
	}
}

var _ = Describe("A disk and its model", onBoth(func(fresh func() *disk.Disk) {
	It("have the same content after any operations and after every crash", func() {
		seed := uint64(GinkgoRandomSeed())
		random := rand.New(rand.NewPCG(seed, 0))
		for range 30 {
			same(fresh(), random, 80)
		}
	})
}))

// same applies the same random operations to a disk and to its model.
func same(d *disk.Disk, random *rand.Rand, steps int) {
	GinkgoHelper()
	m := &model{seen: make(map[string]*content), durable: make(map[string]*content)}
	f := open(d)
	var done []string
	for range steps {
		name := fmt.Sprint("log/", random.IntN(4))
		other := fmt.Sprint("log/", random.IntN(4))
		c := m.seen[name]
		lying := d.Faults().Lying
		step := random.IntN(10)
		done = append(done, fmt.Sprint(step, " ", name, " ", other))
		switch {
		case step == 0:
			d.Set(fault.Disk{Lying: !lying})
		case step == 1:
			f = afterCrash(d)
			m.crash()
		case step == 2 && !lying && len(m.lied) == 0: // an orderly close
			Expect(f.Close()).To(Succeed())
			f = open(d)
			m.crash()
		case c == nil:
			Expect(must(f.Create(name, 0)).Close()).To(Succeed())
			c = &content{}
			m.seen[name] = c
			m.keep(lying, func() { m.durable[name] = c })
		case step == 3:
			Expect(f.Remove(name)).To(Succeed())
			delete(m.seen, name)
			m.keep(lying, func() { delete(m.durable, name) })
		case step == 4 && name != other:
			Expect(f.Rename(name, other)).To(Succeed())
			delete(m.seen, name)
			m.seen[other] = c
			m.keep(lying, func() { delete(m.durable, name); m.durable[other] = c })
		case step < 7:
			file := must(f.Open(name))
			Expect(file.Sync()).To(Succeed())
			Expect(file.Close()).To(Succeed())
			now := c.seen
			if now != c.durable || lying || len(m.lied) > 0 {
				m.keep(lying, func() { c.durable = now })
			}
		default:
			text := fmt.Sprint(random.IntN(1000))
			at := random.IntN(len(c.seen) + 1)
			file := must(f.Open(name))
			must(file.WriteAt([]byte(text), int64(at)))
			Expect(file.Close()).To(Succeed())
			c.seen = c.seen[:at] + text + c.seen[min(at+len(text), len(c.seen)):]
		}
		var names []string
		for name, c := range m.seen {
			names = append(names, name[len("log/"):])
			Expect(read(f, name)).To(Equal(c.seen), "%s after %v", name, done)
		}
		slices.Sort(names)
		Expect(f.List("log")).To(HaveExactElements(names), "%v", done)
	}
	d.Crash()
}
