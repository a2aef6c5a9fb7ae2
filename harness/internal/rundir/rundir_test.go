package rundir_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/internal/rundir"
)

// With this variable set, the test binary is a run that makes a directory in the variable's value.
const runIn = "REJOIN_TEST_RUN_IN"

func TestRundir(t *testing.T) {
	if parent := os.Getenv(runIn); parent != "" {
		t.Fatal(beRun(parent))
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Rundir")
}

// beRun makes a directory with some content, prints its path, and waits to be killed.
func beRun(parent string) error {
	d, err := rundir.New(parent, "run-")
	if err == nil {
		err = os.MkdirAll(filepath.Join(d.Path(), "n0", "log"), 0o700)
	}
	if err != nil {
		return err
	}
	fmt.Println(d.Path())
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(errors.New("stdin ended before the process was killed"), err)
}

var _ = Describe("The directory of a run", func() {
	var parent string
	BeforeEach(func() { parent = GinkgoT().TempDir() })

	newDir := func() *rundir.Dir {
		GinkgoHelper()
		d, err := rundir.New(parent, "")
		Expect(err).NotTo(HaveOccurred())
		return d
	}

	It("is removed with its content", func() {
		d := newDir()
		Expect(d.Path()).To(BeADirectory())
		Expect(filepath.Dir(d.Path())).To(Equal(parent))
		Expect(os.MkdirAll(filepath.Join(d.Path(), "n0", "log"), 0o700)).To(Succeed())
		Expect(d.Remove()).To(Succeed())
		Expect(os.ReadDir(parent)).To(BeEmpty())
	})

	It("survives sweeps by other runs and by its own process while the run is alive", func() {
		d := newDir()
		DeferCleanup(d.Remove)
		Expect(rundir.Sweep(parent)).To(Succeed())
		other := newDir()
		DeferCleanup(other.Remove)
		Expect(d.Path()).To(BeADirectory())
	})

	It("of a killed run is removed by the next, or by one of many at once", func(ctx SpecContext) {
		run := exec.CommandContext(ctx, os.Args[0])
		run.Env = append(os.Environ(), runIn+"="+parent)
		stdin, err := run.StdinPipe()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = stdin.Close() })
		stdout, err := run.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(run.Start()).To(Succeed())
		said, err := bufio.NewReader(stdout).ReadString('\n')
		Expect(err).NotTo(HaveOccurred())
		left := said[:len(said)-1]

		Expect(rundir.Sweep(parent)).To(Succeed())
		Expect(filepath.Join(left, "n0")).To(BeADirectory(), "its run is alive")
		Expect(run.Process.Kill()).To(Succeed())
		Expect(run.Wait()).To(MatchError("signal: killed"))
		Expect(left).To(BeADirectory(), "no run has swept yet")

		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				defer GinkgoRecover()
				d := newDir()
				Expect(d.Path()).To(BeADirectory())
				Expect(d.Remove()).To(Succeed())
			})
		}
		wg.Wait()
		Expect(os.ReadDir(parent)).To(BeEmpty())
	})

	It("is recognized by its owner file and prefix only", func() {
		kept := []string{"rejoin-empty", "rejoin-other", "other", "rejoin-[x]*"}
		for _, name := range kept {
			Expect(os.MkdirAll(filepath.Join(parent, name, "inner"), 0o700)).To(Succeed())
		}
		Expect(os.WriteFile(filepath.Join(parent, "rejoin-other", ".rejoin-owner"),
			[]byte("different content that is longer than the magic, which has a length of some ninety bytes in all"), 0o600)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(parent, "rejoin-file"), []byte("x"), 0o600)).To(Succeed())
		elsewhere := GinkgoT().TempDir()
		dead := newDir()
		content, err := os.ReadFile(filepath.Join(dead.Path(), ".rejoin-owner"))
		Expect(err).NotTo(HaveOccurred())
		Expect(dead.Remove()).To(Succeed())
		Expect(os.WriteFile(filepath.Join(elsewhere, ".rejoin-owner"), content, 0o600)).To(Succeed())
		Expect(os.Symlink(elsewhere, filepath.Join(parent, "rejoin-link"))).To(Succeed())
		Expect(os.WriteFile(filepath.Join(parent, "other", ".rejoin-owner"), content, 0o600)).To(Succeed())

		Expect(rundir.Sweep(parent)).To(Succeed())
		for _, name := range append(kept, "rejoin-link") {
			Expect(filepath.Join(parent, name)).To(BeADirectory())
		}
		Expect(filepath.Join(elsewhere, ".rejoin-owner")).To(BeAnExistingFile())
		Expect(filepath.Join(parent, "rejoin-file")).To(BeAnExistingFile())
	})

	It("is not made in a missing parent", func() {
		_, err := rundir.New(filepath.Join(parent, "missing"), "")
		Expect(err).To(MatchError(os.ErrNotExist))
	})
})
