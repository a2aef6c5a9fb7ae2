package disk_test

import (
	"io/fs"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("A wiped disk", func() {
	for kind, fresh := range map[string]func() *disk.Disk{
		"on real files": func() *disk.Disk { return disk.Files(GinkgoT().TempDir()) },
		"in memory":     func() *disk.Disk { return disk.Memory() },
	} {
		It("has no files and no identity, "+kind, func() {
			d := fresh()
			names := []string{disk.IdentityDir + "/owner", disk.LogDir + "/1.wal", disk.SnapshotDir + "/1.snapshot"}
			holder, err := d.Open()
			Expect(err).NotTo(HaveOccurred())
			for _, name := range names {
				file, err := holder.Create(name, 0)
				Expect(err).NotTo(HaveOccurred())
				Expect(file.WriteAt([]byte("content"), 0)).To(Equal(7))
				Expect(file.Sync()).To(Succeed())
				Expect(file.Close()).To(Succeed())
			}
			_, err = d.Damage(fault.Everything)
			Expect(err).To(MatchError(disk.ErrInUse))
			Expect(d.Names()).To(Equal(names))
			Expect(holder.Close()).To(Succeed())
			_, err = d.Damage(fault.Everything)
			Expect(err).NotTo(HaveOccurred())
			Expect(d.Names()).To(BeEmpty())

			holder, err = d.Open()
			Expect(err).NotTo(HaveOccurred())
			defer holder.Close()
			for _, name := range names {
				_, err := holder.Open(name)
				Expect(err).To(MatchError(fs.ErrNotExist))
			}
		})
	}
})
