package hosts_test

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing/fstest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hosts"
)

var _ = DescribeTable("an error of the system says the reason and the remedy", func(cause error, file, content, words string) {
	root := fstest.MapFS{}
	if file != "" {
		root[file] = &fstest.MapFile{Data: []byte(content)}
	}
	err := hosts.Because(fmt.Errorf("start its agent: %w", cause), root)
	Expect(err).To(MatchError(ContainSubstring(words)))
	Expect(errors.Is(err, cause)).To(BeTrue())
	Expect(err.Error()).NotTo(ContainSubstring("\n"))
},
	Entry("Debian's switch", syscall.EPERM, "proc/sys/kernel/unprivileged_userns_clone", "0\n",
		"sysctl -w kernel.unprivileged_userns_clone=1"),
	Entry("user namespaces off", syscall.ENOSPC, "proc/sys/user/max_user_namespaces", "0\n", "sysctl -w user.max_user_namespaces=10000"),
	Entry("network namespaces off", syscall.ENOSPC, "proc/sys/user/max_net_namespaces", "0\n", "sysctl -w user.max_net_namespaces=10000"),
	Entry("a limit reached", syscall.ENOSPC, "", "", "raise user.max_user_namespaces"),
	Entry("AppArmor", syscall.EACCES, "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n",
		"sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
	Entry("a Docker container", syscall.EPERM, ".dockerenv", "", "--privileged"),
	Entry("a Podman container", syscall.EPERM, "run/.containerenv", "", "--security-opt seccomp=unconfined"),
	Entry("a filter", syscall.EPERM, "proc/self/status", "Name:\tx\nSeccomp:\t2\n", "--privileged"),
	Entry("anything else", syscall.EPERM, "", "", "run as root"),
	Entry("an old kernel", syscall.EINVAL, "", "", "CONFIG_USER_NS"),
)

var _ = It("an error that the system does not cause stays as it is", func() {
	Expect(hosts.Because(fs.ErrExist, fstest.MapFS{})).To(BeIdenticalTo(fs.ErrExist))
})
