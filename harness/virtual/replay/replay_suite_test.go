package replay

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestReplay(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Replay")
}

// write writes files below dir, by relative path, and makes their folders.
func write(dir string, files map[string]string) {
	GinkgoHelper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		Expect(os.MkdirAll(filepath.Dir(path), 0o777)).To(Succeed())
		Expect(os.WriteFile(path, []byte(text), 0o666)).To(Succeed())
	}
}

func read(path string) string {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// names returns the names of the entries of the folder.
func names(dir string) []string {
	GinkgoHelper()
	entries, err := os.ReadDir(dir)
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// fakeRoot makes a GOROOT whose runtime has one file.
func fakeRoot(dir, proc string) string {
	GinkgoHelper()
	write(dir, map[string]string{"VERSION": "go9.9\n", goCommand: "#!/bin/sh\n", "src/runtime/proc.go": proc})
	Expect(os.Chmod(filepath.Join(dir, filepath.FromSlash(goCommand)), 0o777)).To(Succeed())
	return dir
}

// fakeGo puts a go command first in PATH for the duration of the spec. It prints these settings.
func fakeGo(s settings) {
	GinkgoHelper()
	answer, err := json.Marshal(s)
	Expect(err).NotTo(HaveOccurred())
	bin := GinkgoT().TempDir()
	script := fmt.Sprintf("#!/bin/sh\ncat <<'END'\n%s\nEND\n", answer)
	Expect(os.WriteFile(filepath.Join(bin, "go"), []byte(script), 0o777)).To(Succeed())
	GinkgoT().Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// at returns a function like os.UserCacheDir that returns dir.
func at(dir string) func() (string, error) {
	return func() (string, error) { return dir, nil }
}

// halfMade returns the incomplete folders of the cache.
func halfMade(c cache) []string {
	GinkgoHelper()
	return slices.DeleteFunc(names(c.dir), func(name string) bool { return !strings.HasPrefix(name, making) })
}

// made returns the toolchain that Prepare made. It skips the spec if Go is newer than the patches and they do not fit.
func made(t Toolchain, err error) Toolchain {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	if !t.Exact && !strings.HasPrefix(t.Version, "go1.26") && !strings.HasPrefix(t.Version, "go1.27") {
		Skip(t.Why)
	}
	Expect(t.Exact).To(BeTrue(), t.Why)
	return t
}
