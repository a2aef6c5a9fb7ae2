package fusefs_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/fusefs"
)

// serveVariable makes this program serve a disk until it is killed: the directory "disk" in the one that the variable says.
const serveVariable = "REJOIN_TEST_SERVE_DISK"

func TestMain(m *testing.M) {
	programs := map[string]func(string) error{serveVariable: serveDisk, insertVariable: insert, countVariable: count}
	for variable, program := range programs {
		if argument := os.Getenv(variable); argument != "" {
			if err := program(argument); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func serveDisk(dir string) error {
	d, err := fusefs.New(filepath.Join(dir, "disk"), fusefs.Options{})
	if err != nil {
		return err
	}
	at, err := os.MkdirTemp(dir, "mount")
	if err != nil {
		return err
	}
	if _, err := d.Mount(at); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(at, "file"), []byte("not synced"), 0o644); err != nil {
		return err
	}
	fmt.Println("served")
	_, err = io.ReadAll(os.Stdin)
	return err
}

func TestFusefs(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "A disk for any program")
}

var _ = BeforeEach(func() {
	device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil || os.Geteuid() != 0 {
		Skip("mounting a FUSE file system needs root and /dev/fuse")
	}
	Expect(device.Close()).To(Succeed())
	before := gleak.Goroutines()
	places = nil
	DeferCleanup(func(ctx SpecContext) {
		Eventually(ctx, gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before))
		mounts := string(must(os.ReadFile("/proc/self/mountinfo")))
		for _, place := range places { // other processes of a parallel run have mounts too
			Expect(mounts).NotTo(ContainSubstring(" "+place+" "), "a mount is left")
		}
	})
})

func must[V any](value V, err error) V {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}

// places are the directories at which the current spec has mounted disks.
var places []string

// mounted is a disk with its mount.
type mounted struct {
	*fusefs.Disk
	mount *fusefs.Mount
	real  string // the directory
	at    string // the mount
}

func fresh(options fusefs.Options) *mounted {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	m := &mounted{real: filepath.Join(dir, "disk"), at: filepath.Join(dir, "mount")}
	Expect(os.Mkdir(m.real, 0o755)).To(Succeed())
	Expect(os.Mkdir(m.at, 0o755)).To(Succeed())
	m.Disk = must(fusefs.New(m.real, options))
	m.mountAgain()
	DeferCleanup(func(ctx SpecContext) {
		Expect(m.Set(fault.Disk{})).To(Succeed())
		Expect(m.mount.Close(ctx)).To(Succeed())
		Expect(m.Close()).To(Succeed())
		Expect(os.ReadDir(dir)).To(HaveLen(2))
	})
	return m
}

func (m *mounted) mountAgain() {
	GinkgoHelper()
	places = append(places, m.at)
	m.mount = must(m.Mount(m.at))
}

// crash crashes the disk and mounts it again.
func (m *mounted) crash(ctx SpecContext) {
	GinkgoHelper()
	Expect(m.Crash()).To(Succeed())
	Expect(m.mount.Close(ctx)).To(Succeed())
	m.mountAgain()
}

func (m *mounted) path(name string) string { return filepath.Join(m.at, name) }

// open opens a file on the mount for reading and writing, until the end of the spec.
func (m *mounted) open(name string, flags int) *os.File {
	GinkgoHelper()
	file := must(os.OpenFile(m.path(name), os.O_RDWR|flags, 0o644))
	DeferCleanup(func() { _ = file.Close() }) // a crash fails it
	return file
}

// write creates or overwrites a file without a sync.
func (m *mounted) write(name, content string) {
	GinkgoHelper()
	Expect(os.WriteFile(m.path(name), []byte(content), 0o644)).To(Succeed())
}

func (m *mounted) writeSynced(name, content string) {
	GinkgoHelper()
	file := must(os.Create(m.path(name)))
	must(file.WriteString(content))
	Expect(file.Sync()).To(Succeed())
	Expect(file.Close()).To(Succeed())
}

func (m *mounted) read(name string) string {
	GinkgoHelper()
	return string(must(os.ReadFile(m.path(name))))
}

// sync syncs a directory or file.
func (m *mounted) sync(name string) {
	GinkgoHelper()
	file := must(os.Open(m.path(name)))
	Expect(file.Sync()).To(Succeed())
	Expect(file.Close()).To(Succeed())
}
