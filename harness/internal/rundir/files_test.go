package rundir_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/internal/rundir"
)

var _ = It("The files below a directory are listed in order, however deep", func() {
	dir := GinkgoT().TempDir()
	Expect(rundir.Files(dir)).To(BeEmpty())
	Expect(os.MkdirAll(filepath.Join(dir, "b", "c"), 0o700)).To(Succeed())
	for _, name := range []string{"d", "b/c/e", "a"} {
		Expect(os.WriteFile(filepath.Join(dir, name), nil, 0o600)).To(Succeed())
	}
	Expect(rundir.Files(dir)).To(Equal([]string{"a", "b/c/e", "d"}))
	Expect(rundir.Files(filepath.Join(dir, "missing"))).To(BeEmpty())
})
