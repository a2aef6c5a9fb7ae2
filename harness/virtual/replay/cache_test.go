package replay

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The cache", func() {
	var c cache
	BeforeEach(func() { c = cache{filepath.Join(GinkgoT().TempDir(), "a", "b")} })

	good := func(dir string) bool {
		text, err := os.ReadFile(filepath.Join(dir, "file"))
		return err == nil && string(text) == "good"
	}
	fill := func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, "file"), []byte("good"), 0o666) }
	never := func(string, string) error { return errors.New("it exists already") }
	make := func(name string) string {
		GinkgoHelper()
		dir, err := c.folder(name, good, fill)
		Expect(err).NotTo(HaveOccurred())
		return dir
	}
	// age sets the time of last use.
	age := func(dir string, ago time.Duration) {
		GinkgoHelper()
		then := time.Now().Add(-ago)
		Expect(os.Chtimes(dir, then, then)).To(Succeed())
	}

	It("makes a folder once", func() {
		dir := make("x")
		Expect(filepath.Base(dir)).To(Equal("x"))
		Expect(c.folder("x", good, never)).To(Equal(dir))
		Expect(names(c.dir)).To(ConsistOf("x"))
	})

	It("uses no damaged folder, and does not remove it", func() {
		dir := make("x")
		write(dir, map[string]string{"file": "go"})
		other := make("x")
		Expect(other).NotTo(Equal(dir))
		Expect(read(filepath.Join(other, "file"))).To(Equal("good"))
		Expect(read(filepath.Join(dir, "file"))).To(Equal("go"))
		Expect(c.folder("x", good, never)).To(Equal(other))
		Expect(halfMade(c)).To(BeEmpty())
	})

	It("fails after ten damaged folders", func() {
		write(c.dir, map[string]string{"x": "a file"})
		for i := range 9 {
			Expect(os.Mkdir(filepath.Join(c.dir, fmt.Sprintf("x-%d", i+1)), 0o777)).To(Succeed())
		}
		_, err := c.folder("x", good, fill)
		Expect(err).To(MatchError(HaveSuffix("x-9 is damaged")))
	})

	It("does not use a half-made folder of a killed process", func() {
		write(c.dir, map[string]string{making + "1/file": "go"})
		dir := make("x")
		Expect(names(dir)).To(ConsistOf("file"))
		Expect(names(c.dir)).To(ConsistOf("x", making+"1"))
	})

	It("leaves no trace of a folder whose fill fails", func() {
		_, err := c.folder("x", good, func(string, string) error { return errors.New("the disk is full") })
		Expect(err).To(MatchError("the disk is full"))
		Expect(names(c.dir)).To(BeEmpty())
	})

	It("gives concurrent callers one complete folder", func() {
		for i := range 50 {
			if i%2 == 1 {
				write(c.dir, map[string]string{"x/file": "go"})
			}
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					defer GinkgoRecover()
					for range 3 {
						Expect(read(filepath.Join(make("x"), "file"))).To(Equal("good"))
					}
				})
			}
			all.Wait()
			Expect(halfMade(c)).To(BeEmpty())
			Expect(names(c.dir)).To(HaveLen(1 + i%2))
			Expect(os.RemoveAll(c.dir)).To(Succeed())
		}
	})

	It("prunes folders that are old, except for the most recent of each kind", func() {
		const old = unused + time.Hour
		for i, name := range []string{"a", "b", "c", "d", copied + "a", copied + "b", copied + "c", copied + "d", making + "a"} {
			write(c.dir, map[string]string{name + "/file": "good"})
			age(filepath.Join(c.dir, name), old-time.Duration(i)*time.Minute)
		}
		write(c.dir, map[string]string{"recent/file": "good", making + "b/file": "good"})
		age(filepath.Join(c.dir, "recent"), unused-time.Hour)
		make("new")
		Expect(names(c.dir)).To(ConsistOf("d", copied+"b", copied+"c", copied+"d", "recent", making+"b", "new"))
	})

	It("does not prune recently used folders, however many", func() {
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			age(make(name), unused-time.Hour)
		}
		make("new")
		Expect(names(c.dir)).To(HaveLen(6))
	})

	It("records that a folder was used", func() {
		dir := make("x")
		age(dir, 2*unused)
		make("x")
		info, err := os.Stat(dir)
		Expect(err).NotTo(HaveOccurred())
		Expect(info.ModTime()).To(BeTemporally("~", time.Now(), time.Minute))
	})
})
