package mutate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/mutate"
	"github.com/rejoin-db/rejoin/harness/mutate/mutant"
)

func TestMutate(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Package mutate")
}

func command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "go", args...)
}

var _ = Describe("Mutants", func() {
	It("are all in one program, which behaves like the original if none is on", func(ctx SpecContext) {
		here, err := os.Getwd()
		Expect(err).NotTo(HaveOccurred())
		made, err := mutate.Make(ctx, command, here, "./testdata/sample")
		Expect(err).NotTo(HaveOccurred())
		for i, s := range made.Sites {
			Expect(s).To(And(HaveField("ID", i+1), HaveField("File", "testdata/sample/main.go"),
				HaveField("Func", Not(Equal("String")))))
		}
		keys := make(map[string]bool)
		for _, s := range made.Sites {
			keys[s.Key()] = true
		}
		Expect(keys).To(HaveLen(len(made.Sites)), "keys must be unique")
		operators := make(map[mutate.Operator]bool)
		for _, s := range made.Sites {
			operators[s.Operator] = true
		}
		Expect(operators).To(HaveLen(11), "the sample must have a site for each operator")

		dir := GinkgoT().TempDir()
		program := build(ctx, dir, made.Files)
		original, err := command(ctx, "run", "./testdata/sample").Output()
		Expect(err).NotTo(HaveOccurred())
		Expect(run(ctx, program, 0, "")).To(Equal(string(original)))
		for _, s := range made.Sites {
			Expect(run(ctx, program, s.ID, "")).NotTo(Equal(string(original)), "%v has no effect", s)
		}

		By("recording which mutants the program reaches")
		trace := filepath.Join(dir, "trace")
		run(ctx, program, 0, trace)
		reached, err := os.ReadFile(trace)
		Expect(err).NotTo(HaveOccurred())
		Expect(strings.Fields(string(reached))).To(HaveLen(len(made.Sites)))
	}, SpecTimeout(5*time.Minute))

	It("need a package", func(ctx SpecContext) {
		_, err := mutate.Make(ctx, command, "", "./testdata/nowhere")
		Expect(err).To(MatchError(ContainSubstring("list ./testdata/nowhere")))
	}, SpecTimeout(time.Minute))

	It("have a key without line numbers", func() {
		s := mutate.Site{ID: 7, File: "a/b.go", Line: 12, Func: "f", Operator: mutate.Boundary, Was: "a < b", Now: "a <= b"}
		Expect(s.Key()).To(Equal("a/b.go f: boundary: a < b"))
		Expect(s.String()).To(Equal("7 a/b.go:12 f: boundary: a < b becomes a <= b"))
	})
})

// build builds the sample with the changed files.
func build(ctx context.Context, dir string, files map[string][]byte) string {
	GinkgoHelper()
	replace := make(map[string]string)
	for path, content := range files {
		changed := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		Expect(os.WriteFile(changed, content, 0o666)).To(Succeed())
		replace[path] = changed
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	Expect(err).NotTo(HaveOccurred())
	overlay, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "program")
	Expect(os.WriteFile(overlay, list, 0o666)).To(Succeed())
	said, err := command(ctx, "build", "-overlay="+overlay, "-o", program, "./testdata/sample").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(said))
	return program
}

// run returns the output of the program.
func run(ctx context.Context, program string, id int, trace string) string {
	GinkgoHelper()
	c := exec.CommandContext(ctx, program)
	c.Env = append(os.Environ(), mutant.Trace+"="+trace)
	if id > 0 {
		c.Env = append(c.Env, fmt.Sprintf("%s=%d", mutant.Variable, id))
	}
	out, err := c.Output()
	Expect(err).NotTo(HaveOccurred())
	return string(out)
}
