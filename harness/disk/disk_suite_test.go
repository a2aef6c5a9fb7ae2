package disk_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
)

func TestDisk(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Disk")
}

// onBoth declares specs for real files and for files in memory.
func onBoth(specs func(fresh func() *disk.Disk)) func() {
	return func() {
		Context("of real files", func() {
			specs(func() *disk.Disk { return disk.Files(GinkgoT().TempDir()) })
		})
		Context("in memory", func() {
			specs(func() *disk.Disk { return disk.Memory() })
		})
	}
}

func must[V any](value V, err error) V {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}

func open(d *disk.Disk) *disk.FS {
	GinkgoHelper()
	return must(d.Open())
}

// write creates a file without syncing it.
func write(fs *disk.FS, name, content string) *disk.File {
	GinkgoHelper()
	file := must(fs.Create(name, 0))
	must(file.WriteAt([]byte(content), 0))
	return file
}

func writeSynced(fs *disk.FS, name, content string) *disk.File {
	GinkgoHelper()
	file := write(fs, name, content)
	Expect(file.Sync()).To(Succeed())
	return file
}

// read returns the content of a file as the node sees it.
func read(fs *disk.FS, name string) string {
	GinkgoHelper()
	file := must(fs.Open(name))
	defer file.Close()
	content := make([]byte, file.Size())
	must(file.ReadAt(content, 0))
	return string(content)
}

// afterCrash crashes the disk and opens it again.
func afterCrash(d *disk.Disk) *disk.FS {
	GinkgoHelper()
	d.Crash()
	return open(d)
}
