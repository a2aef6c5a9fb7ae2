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

// The releases that go.mod allows, and the installed one.
var _ = DescribeTable("A program in a bubble runs the same each time, with each release", Ordered,
	func(ctx SpecContext, release string) {
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

		run := func(args ...string) string {
			GinkgoHelper()
			cmd := t.Command(ctx, binary, append([]string{"-test.run=Choices"}, args...)...)
			cmd.Dir = filepath.Join("testdata", "bubble")
			out, err := cmd.CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(out))
			chosen := strings.Join(choices.FindAllString(string(out), -1), "\n")
			Expect(strings.Count(chosen, "\n")).To(BeNumerically(">", 5), string(out))
			return chosen
		}
		said, err = t.Command(ctx, binary, "-test.v", "-test.run=OneAtATime|First|ManyBubbles", "-threads=4").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(said))
		Expect(string(said)).To(And(ContainSubstring("--- PASS: TestOneAtATime"), ContainSubstring("--- PASS: TestFirst"),
			ContainSubstring("--- PASS: TestManyBubbles")))
		for _, schedule := range schedules {
			first := run(schedule...)
			for _, threads := range []string{"1", "2", "4"} {
				Expect(run(append(schedule, "-threads", threads)...)).To(Equal(first), "with %s threads, %v", threads, schedule)
			}
			common := orderOfMaps.ReplaceAllString(first, "")
			if other, known := chose[fmt.Sprint(schedule)]; known {
				Expect(common).To(Equal(other), "with %s, compared with the release before it", t.Version)
			}
			chose[fmt.Sprint(schedule)] = common
		}
		Expect(run(schedules[0]...)).NotTo(Equal(run(schedules[1]...)), "two seeds")
	},
	Entry("with the installed Go", SpecTimeout(10*time.Minute), ""),
	Entry("with Go 1.26", SpecTimeout(10*time.Minute), "go1.26.8"),
	Entry("with Go 1.27", SpecTimeout(10*time.Minute), "go1.27.4"),
)

// choices matches the lines that the program in testdata/bubble prints.
var choices = regexp.MustCompile(`(?m)^[a-z]+ [0-9a-f]{16} [0-9a-f]{16}$`)

// orderOfMaps depends on the release: Go 1.27 hashes differently from 1.26.
var orderOfMaps = regexp.MustCompile(`(?m)^maps [0-9a-f]{16}`)

// chose is the output of the program with the previous release, by schedule.
var chose = make(map[string]string)

var schedules = [][]string{{"-seed=1"}, {"-seed=2"}, {"-seed=1", "-interleave=1"}, {"-seed=1", "-interleave=1", "-yield=0.2"}}
