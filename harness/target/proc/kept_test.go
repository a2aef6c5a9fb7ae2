package proc_test

import (
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/proc"
)

var _ = Describe("A kept cluster", func() {
	It("gives each node of a later one its disk, with all that was made and formed", func(ctx SpecContext) {
		supported()
		GinkgoT().Setenv(notesdVariable, "yes")
		folder, kept := GinkgoT().TempDir(), GinkgoT().TempDir()
		d := notes(self())
		d.Vars["folder"] = folder
		d.Prepare = []proc.Program{shell("echo {{.Name}} >> {{.Vars.folder}}/prepared")}
		notes := shell("echo {{.Name}} {{.First}} {{.Forming}} >> starts; cp starts {{.Vars.folder}}; exec sleep 1000")
		d.Programs = append([]proc.Program{notes}, d.Programs...)
		over := proc.New(d, proc.Options{Kept: kept})

		for range 2 {
			c := boot(ctx, over, 1)
			starter, _ := target.As[target.Starter](c)
			Expect(starter.Crash(ctx, 0)).To(Succeed())
			Expect(starter.Start(ctx, 0)).To(Succeed())
			Eventually(ctx, func() (string, error) {
				text, err := os.ReadFile(filepath.Join(folder, "starts"))
				return string(text), err
			}).Should(Equal("n0 true true\nn0 false true\nn0 false false\n"))
		}
		Expect(os.ReadFile(filepath.Join(folder, "prepared"))).To(BeEquivalentTo("n0\n"), "a kept disk is prepared")
		Expect(filepath.Glob(filepath.Join(kept, "*"))).To(Equal([]string{filepath.Join(kept, "1")}))
	}, SpecTimeout(3*time.Minute))

	It("of one node gives its disk to all nodes of larger ones, where nodes are alike", func(ctx SpecContext) {
		supported()
		GinkgoT().Setenv(notesdVariable, "yes")
		folder, kept := GinkgoT().TempDir(), GinkgoT().TempDir()
		d := notes(self())
		d.Alike = true
		d.Vars["folder"] = folder
		d.Prepare = []proc.Program{shell("echo {{.Name}} | tee prepared >> {{.Vars.folder}}/prepared")}
		d.Programs = append([]proc.Program{shell("cp prepared {{.Vars.folder}}/{{.Name}}; exec sleep 1000")}, d.Programs...)
		over := proc.New(d, proc.Options{Kept: kept})

		boot(ctx, over, 3)
		for _, file := range []string{"prepared", "n0", "n1", "n2"} {
			Eventually(ctx, func() (string, error) {
				text, err := os.ReadFile(filepath.Join(folder, file))
				return string(text), err
			}).Should(Equal("n0\n"), file)
		}
		Expect(filepath.Glob(filepath.Join(kept, "*"))).To(Equal([]string{filepath.Join(kept, "1")}))
	}, SpecTimeout(3*time.Minute))

	It("is foretold: what the database lacks, and no more", func() {
		foretold := proc.New(notes("notesd"), proc.Options{}).(target.Foreteller).Foretell()
		Expect(target.Can(foretold, target.Members)).To(BeFalse())
		Expect(target.Can(foretold, target.Clocks)).To(BeFalse())
		Expect(target.Can(foretold, target.Disks)).To(BeTrue(), "it depends on the machine")
		Expect(target.Can(foretold, target.Crash)).To(BeTrue())
		Expect(target.Holds(foretold, target.OwnWrites)).To(BeTrue())
		Expect(target.Holds(foretold, target.SQLite)).To(BeFalse())
	})
})
