package replay

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Prepare", func() {
	const proc = "package runtime\n\nfunc a() {\n}\n"
	fits := []patch{{File: "runtime/proc.go", Find: "func a() {", With: "func b() {"}}
	more := []addition{{"runtime/new.go", "package runtime\n"}}

	var place, root, modules string
	BeforeEach(func() {
		place, root, modules = GinkgoT().TempDir(), fakeRoot(GinkgoT().TempDir(), proc), GinkgoT().TempDir()
	})

	answer := func(flags string) {
		GinkgoHelper()
		fakeGo(settings{GOVERSION: "go9.9", GOROOT: root, GOMODCACHE: modules, GOFLAGS: flags})
	}

	It("puts patched files in the place of the installed ones", func(ctx SpecContext) {
		answer("-buildvcs=false")
		t, err := prepare(ctx, at(place), fits, more)
		Expect(err).NotTo(HaveOccurred())
		Expect(t.Exact).To(BeTrue(), t.Why)
		Expect(t.Why).To(BeEmpty())
		Expect(t.Version).To(Equal("go9.9"))
		Expect(t.Root).To(Equal(root))
		Expect(t.Go).To(Equal(filepath.Join(root, "bin", "go")))
		dir := filepath.Dir(t.Overlay)
		Expect(read(t.Overlay)).To(MatchJSON(`{"Replace": {
			"` + root + `/src/runtime/proc.go": "` + dir + `/runtime/proc.go",
			"` + root + `/src/runtime/new.go": "` + dir + `/runtime/new.go"}}`))
		Expect(read(filepath.Join(dir, "runtime/proc.go"))).To(Equal("package runtime\n\nfunc b() {\n}\n"))
		Expect(read(filepath.Join(dir, "runtime/new.go"))).To(Equal("package runtime\n"))
		Expect(read(filepath.Join(root, "src/runtime/proc.go"))).To(Equal(proc))
		Expect(halfMade(t.cache)).To(BeEmpty())

		cmd := t.Command(ctx, "go", "version")
		Expect(cmd.Path).To(Equal(t.Go))
		Expect(cmd.Env).To(ContainElement("GOFLAGS=-buildvcs=false -overlay=" + t.Overlay))
		Expect(t.Command(ctx, "/other", "go").Args).To(Equal([]string{"/other", "go"}))
	})

	It("finds again what it made, and makes another for other patches and another Go", func(ctx SpecContext) {
		answer("")
		folder := func(patches []patch, additions []addition) string {
			GinkgoHelper()
			t, err := prepare(ctx, at(place), patches, additions)
			Expect(err).NotTo(HaveOccurred())
			Expect(t.Exact).To(BeTrue(), t.Why)
			Expect(filepath.Base(filepath.Dir(t.Overlay))).NotTo(ContainSubstring("-"), "another name, not one that is taken")
			return t.Overlay
		}
		first := folder(fits, more)
		Expect(folder(fits, more)).To(Equal(first))
		Expect(folder(fits, nil)).NotTo(Equal(first))
		Expect(folder(fits, []addition{{"runtime/new.go", "package runtime // \n"}})).NotTo(Equal(first))
		write(root, map[string]string{"src/runtime/proc.go": proc + "// changed\n"})
		Expect(folder(fits, more)).NotTo(Equal(first))
		write(root, map[string]string{"src/runtime/proc.go": proc})
		Expect(folder(fits, more)).To(Equal(first))
		root = fakeRoot(GinkgoT().TempDir(), proc)
		answer("")
		Expect(folder(fits, more)).NotTo(Equal(first))
	})

	DescribeTable("makes an overlay anew that is not whole", func(ctx SpecContext, damage func(dir string) error) {
		answer("")
		t, err := prepare(ctx, at(place), fits, more)
		Expect(err).NotTo(HaveOccurred())
		Expect(damage(filepath.Dir(t.Overlay))).To(Succeed())
		again, err := prepare(ctx, at(place), fits, more)
		Expect(err).NotTo(HaveOccurred())
		Expect(again.Overlay).NotTo(Equal(t.Overlay))
		proc := filepath.Join(filepath.Dir(again.Overlay), "runtime/proc.go")
		Expect(read(again.Overlay)).To(ContainSubstring(proc))
		Expect(read(proc)).To(ContainSubstring("func b"))
	},
		Entry("but has no list", func(dir string) error { return os.Remove(filepath.Join(dir, overlayFile)) }),
		Entry("but has half a list", func(dir string) error { return os.Truncate(filepath.Join(dir, overlayFile), 9) }),
		Entry("but has no files", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "runtime")) }),
		Entry("but has half a file", func(dir string) error { return os.Truncate(filepath.Join(dir, "runtime/proc.go"), 9) }),
	)

	It("serves any number of callers at once", func(ctx SpecContext) {
		answer("")
		var all sync.WaitGroup
		made := make([]Toolchain, 8)
		for i := range made {
			all.Go(func() {
				defer GinkgoRecover()
				var err error
				made[i], err = prepare(ctx, at(place), fits, more)
				Expect(err).NotTo(HaveOccurred())
				Expect(made[i].Exact).To(BeTrue(), made[i].Why)
				Expect(read(made[i].Overlay)).NotTo(BeEmpty())
			})
		}
		all.Wait()
		for _, t := range made {
			Expect(t).To(Equal(made[0]))
		}
		Expect(names(filepath.Join(place, "rejoin", "replay"))).To(HaveLen(1))
	})

	It("copies a Go that lies in the module cache", func(ctx SpecContext) {
		root = fakeRoot(filepath.Join(modules, "golang.org", "toolchain"), proc)
		Expect(os.Chmod(filepath.Join(root, "src/runtime/proc.go"), 0o444)).To(Succeed())
		Expect(os.Chmod(filepath.Join(root, "src/runtime"), 0o555)).To(Succeed())
		DeferCleanup(os.Chmod, filepath.Join(root, "src/runtime"), fs.FileMode(0o755))
		answer("")
		t, err := prepare(ctx, at(place), fits, more)
		Expect(err).NotTo(HaveOccurred())
		Expect(t.Exact).To(BeTrue(), t.Why)
		Expect(t.Root).To(HavePrefix(filepath.Join(place, "rejoin", "replay", copied)))
		Expect(t.Go).To(Equal(filepath.Join(t.Root, "bin", "go")))
		Expect(read(t.Overlay)).To(ContainSubstring(filepath.Join(t.Root, "src/runtime/proc.go")))
		Expect(read(filepath.Join(t.Root, "src/runtime/proc.go"))).To(Equal(proc))
		mode := func(name string) fs.FileMode {
			info, err := os.Stat(filepath.Join(t.Root, name))
			Expect(err).NotTo(HaveOccurred())
			return info.Mode()
		}
		Expect(mode("bin/go")&0o100).NotTo(BeZero(), "the go command must run")
		Expect(mode("src/runtime/proc.go")&0o200).NotTo(BeZero(), "the copy must be removable")
		Expect(mode("src/runtime")&0o200).NotTo(BeZero(), "the copy must be removable")
		Expect(prepare(ctx, at(place), fits, more)).To(Equal(t))
		Expect(halfMade(t.cache)).To(BeEmpty())

		// A copy of which a part is missing is made anew.
		Expect(os.Remove(t.Go)).To(Succeed())
		t, err = prepare(ctx, at(place), fits, more)
		Expect(err).NotTo(HaveOccurred())
		Expect(t.Exact).To(BeTrue(), t.Why)
		Expect(t.Go).To(BeAnExistingFile())
	})

	It("takes a copied Go for the installed one, where a command that runs with it asks again", func(ctx SpecContext) {
		root = fakeRoot(filepath.Join(modules, "toolchain"), proc)
		answer("")
		t, err := prepare(ctx, at(place), fits, more)
		Expect(err).NotTo(HaveOccurred())
		root = t.Root
		answer("-overlay=" + t.Overlay)
		again, err := prepare(ctx, at(place), fits, more)
		Expect(err).NotTo(HaveOccurred())
		Expect(again.Exact).To(BeTrue(), again.Why)
		Expect(again.Overlay).To(Equal(t.Overlay))
	})

	Describe("is not exact, and says why,", func() {
		why := func(ctx context.Context, folder func() (string, error), patches []patch) string {
			GinkgoHelper()
			t, err := prepare(ctx, folder, patches, more)
			Expect(err).NotTo(HaveOccurred())
			Expect(t.Exact).To(BeFalse())
			Expect(t.Overlay).To(BeEmpty())
			Expect(t.Why).NotTo(ContainSubstring("\n"))
			Expect(filepath.Base(t.Go)).To(Equal("go"))
			env := []string{"GOFLAGS=-v", "A=b"}
			Expect(t.Environ(env)).To(Equal(env))
			Expect(t.Command(ctx, "go", "version").Path).To(Equal(t.Go))
			return t.Why
		}

		It("where a patch does not fit", func(ctx SpecContext) {
			answer("")
			Expect(why(ctx, at(place), []patch{{File: "runtime/proc.go", Find: "func c() {"}})).
				To(Equal(`the patch of runtime/proc.go does not fit go9.9: "func c() {" occurs nowhere, and must occur once`))
		})

		It("where Go's sources are not installed", func(ctx SpecContext) {
			Expect(os.RemoveAll(filepath.Join(root, "src"))).To(Succeed())
			answer("")
			Expect(why(ctx, at(place), fits)).To(Equal("go9.9 cannot be patched: its sources are not installed in " + filepath.Join(root, "src")))
		})

		It("where Go's command is not in its own folder", func(ctx SpecContext) {
			Expect(os.Remove(filepath.Join(root, "bin", "go"))).To(Succeed())
			answer("")
			Expect(why(ctx, at(place), fits)).To(HavePrefix("go9.9 has no go command in its own folder: "))
		})

		It("where the cache folder cannot be written", func(ctx SpecContext) {
			answer("")
			write(place, map[string]string{"file": ""})
			Expect(why(ctx, at(filepath.Join(place, "file")), fits)).
				To(MatchRegexp(`^the cache folder cannot keep the patched runtime: .*file.*: not a directory$`))
		})

		It("where there is no room for a copy of Go", func(ctx SpecContext) {
			root = fakeRoot(filepath.Join(modules, "toolchain"), proc)
			answer("")
			write(place, map[string]string{"file": ""})
			Expect(why(ctx, at(filepath.Join(place, "file")), fits)).
				To(MatchRegexp(`^go9.9 cannot be copied out of the module cache, where it cannot be patched: .*: not a directory$`))
		})

		It("where there is no cache folder", func(ctx SpecContext) {
			answer("")
			none := func() (string, error) { return "", errors.New("$HOME is not defined") }
			Expect(why(ctx, none, fits)).To(Equal("there is no folder to keep the patched runtime in: $HOME is not defined"))
		})

		It("where GOFLAGS has an overlay already", func(ctx SpecContext) {
			answer("-v '--overlay=/my own/overlay.json'")
			Expect(why(ctx, at(place), fits)).
				To(Equal("GOFLAGS has an overlay already, and the go command takes only one: --overlay=/my own/overlay.json"))
		})

		It("where GOFLAGS cannot hold the folder's name", func(ctx SpecContext) {
			answer("")
			strange := filepath.Join(place, `it's a "cache"`)
			Expect(why(ctx, at(strange), fits)).
				To(MatchRegexp(`^GOFLAGS cannot hold -overlay=.*, which has both kinds of quotation marks$`))
		})
	})

	It("fails where there is no go command", func(ctx SpecContext) {
		GinkgoT().Setenv("PATH", GinkgoT().TempDir())
		_, err := prepare(ctx, at(place), fits, more)
		Expect(err).To(MatchError(HavePrefix("find the go command: ")))
	})

	It("fails where the go command does, with what it says", func(ctx SpecContext) {
		GinkgoT().Setenv("GOTOOLCHAIN", "go1.moon")
		_, err := prepare(ctx, at(place), fits, more)
		Expect(err).To(MatchError(And(HavePrefix("ask "), ContainSubstring("go1.moon"))))
	})

	It("fails when its context has ended", func(ctx SpecContext) {
		answer("")
		ended, end := context.WithCancel(ctx)
		_, err := prepare(ended, func() (string, error) { end(); return place, nil }, fits, more)
		Expect(err).To(MatchError(context.Canceled))
		Expect(err).To(MatchError(HavePrefix("prepare go9.9 for exact replay: ")))
	})

	It("copies nothing more once its context has ended", func(ctx SpecContext) {
		root = fakeRoot(filepath.Join(modules, "toolchain"), proc)
		answer("")
		ended, end := context.WithCancel(ctx)
		_, err := prepare(ended, func() (string, error) { end(); return place, nil }, fits, more)
		Expect(err).To(MatchError(context.Canceled))
		Expect(names(filepath.Join(place, "rejoin", "replay"))).To(BeEmpty())
	})
})

var _ = DescribeTable("What lies beneath a folder", func(folder, path string, beneathIt bool) {
	dir := GinkgoT().TempDir()
	write(dir, map[string]string{"a/b/file": ""})
	Expect(os.Symlink(filepath.Join(dir, "a"), filepath.Join(dir, "link"))).To(Succeed())
	Expect(beneath(filepath.Join(dir, folder), filepath.Join(dir, path))).To(Equal(beneathIt))
},
	Entry(nil, "a", "a/b", true),
	Entry(nil, "a", "a", true),
	Entry(nil, "a/b", "a", false),
	Entry(nil, "a", "ab", false),
	Entry(nil, "a", "..a", false),
	Entry(nil, "link", "a/b", true),
	Entry(nil, "a", "link/b", true),
	Entry(nil, "no-such-folder", "a", false),
)

var _ = Describe("With the installed Go", func() {
	prepared := func(ctx context.Context, place string) Toolchain {
		GinkgoHelper()
		additions, err := readAdditions()
		Expect(err).NotTo(HaveOccurred())
		return made(prepare(ctx, at(place), patches, additions))
	}

	DescribeTable("the go command takes the overlay", func(ctx SpecContext, folder, flags string) {
		GinkgoT().Setenv("GOFLAGS", flags)
		t := prepared(ctx, filepath.Join(GinkgoT().TempDir(), folder))
		out, err := t.Command(ctx, "go", "list", "-f", "{{join .GoFiles `\n`}}", "runtime").Output()
		Expect(err).NotTo(HaveOccurred())
		Expect(strings.Split(string(out), "\n")).To(ContainElements("proc.go", "rejoin.go"))
		out, err = t.Command(ctx, "go", "env", "GOFLAGS").Output()
		Expect(err).NotTo(HaveOccurred())
		Expect(string(out)).To(And(ContainSubstring(t.Overlay), HavePrefix(flags)))
	},
		Entry("in a folder", "plain", "-buildvcs=false"),
		Entry("in a folder with a space", "a cache", "-buildvcs=false"),
		Entry("in a folder with an apostrophe", "it's", ""),
		Entry("beside flags in quotation marks", "plain", `'-ldflags=-X main.a=b' "-tags=c's"`),
	)

	It("go version works", func(ctx SpecContext) {
		t := prepared(ctx, GinkgoT().TempDir())
		out, err := t.Command(ctx, "go", "version").Output()
		Expect(err).NotTo(HaveOccurred())
		Expect(string(out)).To(HavePrefix("go version " + t.Version))
	})
})
