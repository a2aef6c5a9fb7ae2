package replay

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The releases that go.mod allows. The installed one is tried whichever it is.
var _ = DescribeTable("A program in a bubble runs the same twice", func(ctx SpecContext, release string) {
	if release != "" {
		GinkgoT().Setenv("GOTOOLCHAIN", release)
		download, cancel := context.WithTimeout(ctx, 3*time.Minute)
		defer cancel()
		if said, err := exec.CommandContext(download, "go", "version").CombinedOutput(); err != nil {
			Skip(fmt.Sprintf("%s cannot be downloaded: %v: %s", release, err, bytes.TrimSpace(said)))
		}
	}
	t := made(Prepare(ctx))
	if release != "" {
		Expect(t.Version).To(Equal(release))
	}

	binary := filepath.Join(GinkgoT().TempDir(), "bubble.test")
	said, err := t.Command(ctx, "go", "test", "-c", "-o", binary, "./testdata/bubble").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(said))
	version, err := t.Command(ctx, "go", "version", binary).Output()
	Expect(err).NotTo(HaveOccurred())
	Expect(strings.TrimSpace(string(version))).To(HaveSuffix(": " + t.Version))

	choices := regexp.MustCompile(`(?m)^[ab]{64}$`)
	run := func() string {
		out, err := t.Command(ctx, binary).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		chosen := choices.FindString(string(out))
		Expect(chosen).To(And(ContainSubstring("a"), ContainSubstring("b")), string(out))
		return chosen
	}
	first := run()
	for range 3 {
		Expect(run()).To(Equal(first))
	}
},
	Entry("with the installed Go", SpecTimeout(10*time.Minute), ""),
	Entry("with Go 1.26", SpecTimeout(10*time.Minute), "go1.26.8"),
	Entry("with Go 1.27", SpecTimeout(10*time.Minute), "go1.27.4"),
)
