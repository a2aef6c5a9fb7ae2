package fusefs_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/fusefs"
)

// sh runs a shell script in the mount's directory, and returns what it wrote. (A process that Go starts in a directory which
// the same process serves could block the start of both.)
func (m *mounted) sh(ctx context.Context, script string) string {
	GinkgoHelper()
	command := exec.CommandContext(ctx, "sh", "-c", "cd "+m.at+" && "+script)
	command.Env = append(os.Environ(), "LC_ALL=C")
	out, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", out)
	return string(out)
}

func needs(program string) {
	GinkgoHelper()
	if _, err := exec.LookPath(program); err != nil {
		Skip("there is no " + program)
	}
}

// mapper writes a file as a database over a mapped file does: it maps the file, changes a page, syncs the page, and changes
// another one without a sync. It holds the mapping until its input ends.
const mapper = `
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int count, char **words) {
	char input;
	int file = open(words[1], O_RDWR | O_CREAT, 0644);
	if (file < 0 || ftruncate(file, 8192)) return 1;
	char *page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (page == MAP_FAILED) return 2;
	memset(page, 's', 4096);
	if (msync(page, 8192, MS_SYNC)) { perror("msync"); return 3; }
	memset(page + 4096, 'u', 4096);
	char seen[2];
	if (pread(file, seen, 2, 4095) != 2 || memcmp(seen, "su", 2)) return 4;
	puts("ready");
	fflush(stdout);
	return read(0, &input, 1) ? 5 : 0;
}`

var _ = Describe("Programs on a disk", func() {
	var m *mounted
	BeforeEach(func() { m = fresh(fusefs.Options{}) })

	It("copy, move, link, find, lock and remove files", func(ctx SpecContext) {
		out := m.sh(ctx, `mkdir -p a/b && cp -r a c && seq 100000 > a/b/numbers && cp --sparse=always a/b/numbers c/ &&
			cmp a/b/numbers c/numbers && ln -s b/numbers a/link && tail -1 a/link && ln a/b/numbers hard && stat -c %h hard &&
			mv a/b/numbers a/moved && rm -r c && dd if=hard of=direct bs=4096 count=10 oflag=direct status=none && wc -c < direct &&
			chmod 640 hard && stat -c %a a/moved && mkfifo pipe && (echo x > pipe & cat pipe) && find . | sort | tr '\n' ' '`)
		Expect(out).To(Equal("100000\n2\n40960\n640\nx\n. ./a ./a/b ./a/link ./a/moved ./direct ./hard ./pipe "))
		needs("flock")
		Expect(m.sh(ctx, `flock lock sh -c 'flock -n lock true || echo locked'`)).To(Equal("locked\n"))
	})

	It("see errors of the disk as those of the system", func(ctx SpecContext) {
		Expect(m.Set(fault.Disk{Full: true})).To(Succeed())
		Expect(m.sh(ctx, "dd if=/dev/zero of=x bs=4096 count=1 2>&1 || true")).To(ContainSubstring("No space left on device"))
		Expect(m.Set(fault.Disk{})).To(Succeed())
		m.sh(ctx, "dd if=/dev/zero of=x bs=4096 count=1 status=none")
		Expect(m.Set(fault.Disk{Failing: true})).To(Succeed())
		Expect(m.sh(ctx, "dd if=/dev/zero of=x conv=notrunc,fsync count=0 2>&1 || true")).To(ContainSubstring("nput/output error"))
	})

	It("map files, and lose pages that were not synced", func(ctx SpecContext) {
		needs("gcc")
		program := filepath.Join(GinkgoT().TempDir(), "mapper")
		Expect(os.WriteFile(program+".c", []byte(mapper), 0o644)).To(Succeed())
		out, err := exec.CommandContext(ctx, "gcc", "-o", program, program+".c").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "%s", out)
		synced, unsynced := strings.Repeat("s", 4096), strings.Repeat("u", 4096)

		maps := func(name string) *exec.Cmd {
			command := exec.CommandContext(ctx, program, m.path(name))
			must(command.StdinPipe())
			said := must(command.StdoutPipe())
			Expect(command.Start()).To(Succeed())
			line := make([]byte, 6)
			must(said.Read(line))
			Expect(line).To(BeEquivalentTo("ready\n"))
			return command
		}
		killed := maps("killed")
		Expect(killed.Process.Kill()).To(Succeed())
		Expect(killed.Wait()).NotTo(Succeed())
		Eventually(ctx, m.read).WithArguments("killed").Should(Equal(synced + unsynced))

		running := maps("crashed")
		Expect(m.Crash()).To(Succeed())
		Expect(running.Process.Kill()).To(Succeed())
		Expect(running.Wait()).NotTo(Succeed())
		m.crash(ctx)
		Expect(m.read("crashed")).To(Equal(synced + string(make([]byte, 4096))))
	}, SpecTimeout(time.Minute))

	It("keep the owner and mode that they give", func(ctx SpecContext) {
		needs("setpriv")
		Expect(os.Chmod(m.at, 0o777)).To(Succeed())
		Expect(os.Chmod(filepath.Dir(m.at), 0o755)).To(Succeed())
		out := m.sh(ctx, `umask 0; setpriv --reuid 1234 --regid 1234 --clear-groups sh -c '
			echo x > own && mkdir -m 2775 dir && stat -c "%u %g %a" own dir && (cat /dev/null > ../disk/own) 2>/dev/null; id -u'
			echo y > root; setpriv --reuid 1234 --clear-groups sh -c 'chmod 600 root' 2>&1 | grep -o "not permitted"`)
		Expect(out).To(HavePrefix("1234 1234 666\n1234 1234 2775\n"))
		Expect(out).To(HaveSuffix("not permitted\n"))
	})
})

var _ = Describe("A mount", func() {
	It("ends with the process that serves it, in its own namespace of mounts", func(ctx SpecContext) {
		needs("unshare")
		dir := GinkgoT().TempDir()
		Expect(os.MkdirAll(filepath.Join(dir, "disk"), 0o755)).To(Succeed())
		server := exec.CommandContext(ctx, "unshare", "--mount", "--propagation", "private", must(os.Executable()))
		server.Env = append(os.Environ(), serveVariable+"="+dir)
		server.Stderr = GinkgoWriter
		must(server.StdinPipe())
		said := must(server.StdoutPipe())
		Expect(server.Start()).To(Succeed())
		line := make([]byte, 8)
		n, err := said.Read(line)
		Expect(err).NotTo(HaveOccurred())
		Expect(line[:n]).To(BeEquivalentTo("served\n"))
		Expect(server.Process.Kill()).To(Succeed())
		Expect(server.Wait()).NotTo(Succeed())
		Expect(os.ReadFile("/proc/self/mountinfo")).NotTo(ContainSubstring(dir))
		Expect(os.ReadFile(filepath.Join(dir, "disk", "file"))).To(BeEquivalentTo("not synced"), "the directory has everything")
		d := must(fusefs.New(filepath.Join(dir, "disk"), fusefs.Options{}))
		Expect(d.Close()).To(Succeed())
		Expect(os.ReadDir(dir)).To(HaveLen(2))
	}, SpecTimeout(time.Minute))

	It("replaces a dead one", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		at := filepath.Join(dir, "disk")
		Expect(os.Mkdir(at, 0o755)).To(Succeed())
		dead := must(fusefs.Attach("/dev/fuse", at))
		Expect(dead.Close()).To(Succeed())
		_, err := os.Stat(at)
		Expect(err).To(HaveOccurred())
		m := fresh(fusefs.Options{})
		Expect(m.mount.Close(ctx)).To(Succeed())
		places = append(places, at)
		m.mount = must(m.Mount(at))
		Expect(os.WriteFile(filepath.Join(at, "file"), []byte("x"), 0o644)).To(Succeed())
		Expect(m.mount.Close(ctx)).To(Succeed())
		m.mountAgain()
		Expect(m.read("file")).To(Equal("x"))
	})

	It("is refused over the disk's own directory, which this process needs", func() {
		dir := filepath.Join(GinkgoT().TempDir(), "disk")
		Expect(os.Mkdir(dir, 0o755)).To(Succeed())
		d := must(fusefs.New(dir, fusefs.Options{}))
		_, err := d.Mount(dir)
		Expect(err).To(MatchError(ContainSubstring("its own directory")))
		Expect(d.Close()).To(Succeed())
	})
})
