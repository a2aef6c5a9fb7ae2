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

	It("replaces installed files by patched ones", func(ctx SpecContext) {
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

	It("reuses its overlay, and makes a new one for other patches or another Go", func(ctx SpecContext) {
		answer("")
		folder := func(patches []patch, additions []addition) string {
			GinkgoHelper()
			t, err := prepare(ctx, at(place), patches, additions)
			Expect(err).NotTo(HaveOccurred())
			Expect(t.Exact).To(BeTrue(), t.Why)
			Expect(filepath.Base(filepath.Dir(t.Overlay))).NotTo(ContainSubstring("-"), "a new name, not a numbered one")
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

	DescribeTable("replaces a damaged overlay", func(ctx SpecContext, damage func(dir string) error) {
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
		Entry("without its list", func(dir string) error { return os.Remove(filepath.Join(dir, overlayFile)) }),
		Entry("with a truncated list", func(dir string) error { return os.Truncate(filepath.Join(dir, overlayFile), 9) }),
		Entry("without its files", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "runtime")) }),
		Entry("with a truncated file", func(dir string) error { return os.Truncate(filepath.Join(dir, "runtime/proc.go"), 9) }),
	)

	It("is safe for concurrent use", func(ctx SpecContext) {
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

	It("copies a Go that is in the module cache", func(ctx SpecContext) {
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

		// An incomplete copy is replaced.
		Expect(os.Remove(t.Go)).To(Succeed())
		t, err = prepare(ctx, at(place), fits, more)
		Expect(err).NotTo(HaveOccurred())
		Expect(t.Exact).To(BeTrue(), t.Why)
		Expect(t.Go).To(BeAnExistingFile())
	})

	It("uses a copied Go as it is if called by a command that runs with it", func(ctx SpecContext) {
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

		It("if a patch does not fit", func(ctx SpecContext) {
			answer("")
			Expect(why(ctx, at(place), []patch{{File: "runtime/proc.go", Find: "func c() {"}})).
				To(Equal(`the patch of runtime/proc.go does not fit go9.9: "func c() {" occurs 0 times, and must occur once`))
		})

		It("if Go's sources are not installed", func(ctx SpecContext) {
			Expect(os.RemoveAll(filepath.Join(root, "src"))).To(Succeed())
			answer("")
			Expect(why(ctx, at(place), fits)).To(
				Equal("go9.9 cannot be patched: its sources are not installed in " + filepath.Join(root, "src")))
		})

		It("if Go's command is not in its own folder", func(ctx SpecContext) {
			Expect(os.Remove(filepath.Join(root, "bin", "go"))).To(Succeed())
			answer("")
			Expect(why(ctx, at(place), fits)).To(HavePrefix("go9.9 has no go command in its own folder: "))
		})

		It("if the cache folder is not writable", func(ctx SpecContext) {
			answer("")
			write(place, map[string]string{"file": ""})
			Expect(why(ctx, at(filepath.Join(place, "file")), fits)).
				To(MatchRegexp(`^cannot write the patched runtime to the cache folder: .*file.*: not a directory$`))
		})

		It("if Go cannot be copied", func(ctx SpecContext) {
			root = fakeRoot(filepath.Join(modules, "toolchain"), proc)
			answer("")
			write(place, map[string]string{"file": ""})
			Expect(why(ctx, at(filepath.Join(place, "file")), fits)).
				To(MatchRegexp(`^cannot copy go9.9 out of the module cache, where overlays do not apply: .*: not a directory$`))
		})

		It("if there is no cache folder", func(ctx SpecContext) {
			answer("")
			none := func() (string, error) { return "", errors.New("$HOME is not defined") }
			Expect(why(ctx, none, fits)).To(Equal("no cache folder for the patched runtime: $HOME is not defined"))
		})

		It("if GOFLAGS already has an overlay", func(ctx SpecContext) {
			answer("-v '--overlay=/my own/overlay.json'")
			Expect(why(ctx, at(place), fits)).
				To(Equal("GOFLAGS already has an overlay, and the go command accepts only one: --overlay=/my own/overlay.json"))
		})

		It("if GOFLAGS cannot contain the folder's name", func(ctx SpecContext) {
			answer("")
			strange := filepath.Join(place, `it's a "cache"`)
			Expect(why(ctx, at(strange), fits)).
				To(MatchRegexp(`^GOFLAGS cannot contain -overlay=.*, which has both kinds of quotation marks$`))
		})
	})

	It("fails if there is no go command", func(ctx SpecContext) {
		GinkgoT().Setenv("PATH", GinkgoT().TempDir())
		_, err := prepare(ctx, at(place), fits, more)
		Expect(err).To(MatchError(HavePrefix("find the go command: ")))
	})

	It("fails with the output of the go command if that fails", func(ctx SpecContext) {
		GinkgoT().Setenv("GOTOOLCHAIN", "go1.moon")
		_, err := prepare(ctx, at(place), fits, more)
		Expect(err).To(MatchError(And(HavePrefix("read the settings of "), ContainSubstring("go1.moon"))))
	})

	It("fails if its context ends", func(ctx SpecContext) {
		answer("")
		ended, end := context.WithCancel(ctx)
		_, err := prepare(ended, func() (string, error) { end(); return place, nil }, fits, more)
		Expect(err).To(MatchError(context.Canceled))
		Expect(err).To(MatchError(HavePrefix("prepare go9.9 for exact replay: ")))
	})

	It("does not copy Go after its context has ended", func(ctx SpecContext) {
		root = fakeRoot(filepath.Join(modules, "toolchain"), proc)
		answer("")
		ended, end := context.WithCancel(ctx)
		_, err := prepare(ended, func() (string, error) { end(); return place, nil }, fits, more)
		Expect(err).To(MatchError(context.Canceled))
		Expect(names(filepath.Join(place, "rejoin", "replay"))).To(BeEmpty())
	})
})

var _ = DescribeTable("Beneath follows symbolic links", func(folder, path string, beneathIt bool) {
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

	DescribeTable("the go command accepts the overlay", func(ctx SpecContext, folder, flags string) {
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
		Entry("with quoted flags", "plain", `'-ldflags=-X main.a=b' "-tags=c's"`),
	)

	It("go version works", func(ctx SpecContext) {
		t := prepared(ctx, GinkgoT().TempDir())
		out, err := t.Command(ctx, "go", "version").Output()
		Expect(err).NotTo(HaveOccurred())
		Expect(string(out)).To(HavePrefix("go version " + t.Version))
	})
})
