package hosts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("all of this holds", Label("again"), func(ctx SpecContext, user uint32, variable string) {
	if os.Getenv(againVariable) != "" {
		Skip("these are the specs that run once more")
	}
	if user != 0 && os.Geteuid() != 0 {
		Skip("the specs run without root already")
	}
	dir, err := os.MkdirTemp("", "rejoin-again-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	program, err := os.ReadFile(self)
	Expect(err).NotTo(HaveOccurred())
	copied := filepath.Join(dir, "hosts.test") // where any user can read it
	Expect(os.WriteFile(copied, program, 0o755)).To(Succeed())

	command := exec.CommandContext(ctx, copied, "-ginkgo.label-filter=!again")
	command.Dir = dir
	command.Env = append(os.Environ(), againVariable+"=1", "HOME="+dir, "TMPDIR="+dir, variable+"=1")
	if user != 0 {
		Expect(os.Chown(dir, int(user), int(user))).To(Succeed())
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	out, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", out)
	Expect(string(out)).To(ContainSubstring("SUCCESS!"))
	Expect(string(out)).NotTo(ContainSubstring("Ran 0 of"))
},
	Entry("for a user who is not root, in user namespaces", uint32(65534), "UNUSED", SpecTimeout(5*time.Minute)),
	Entry("with veth pairs and packet sockets", uint32(0), vethVariable, SpecTimeout(5*time.Minute)),
)
