package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/device"
)

// make makes what is on the host: mounts, name, network. The answer has the descriptor of the network device.
func (h *host) make(request json.RawMessage, _ []int) (any, []int, error) {
	var spec Spec
	if err := json.Unmarshal(request, &spec); err != nil {
		return nil, nil, err
	}
	if err := unix.Sethostname([]byte(spec.Name)); err != nil {
		return nil, nil, fmt.Errorf("set the host's name: %w", err)
	}
	made := Made{}
	if err := mount(spec.Hosts, &made); err != nil {
		return nil, nil, err
	}
	file, kind, err := device.Make(spec.Addr, spec.Packet)
	if err != nil {
		return nil, nil, err
	}
	made.Kind = string(kind)
	return made, []int{file}, nil
}

// mount mounts the host's own /etc/hosts, /proc and /dev/shm, which nothing outside of the host sees.
func mount(hosts string, made *Made) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the host's mounts private: %w", err)
	}
	if err := unix.Mount(hosts, "/etc/hosts", "", unix.MS_BIND, ""); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("mount the host's /etc/hosts: %w", err)
		}
		made.Missing = append(made.Missing, "names of hosts do not resolve: this system has no /etc/hosts to mount over")
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		made.Missing = append(made.Missing, fmt.Sprintf("/proc shows the processes of the outer system: mount the host's own: %v", err))
	}
	// Names of shared memory are often made of process numbers, which are the same on all hosts.
	if err := unix.Mount("tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"); err != nil {
		made.Missing = append(made.Missing, fmt.Sprintf("hosts share the names of shared memory: mount /dev/shm: %v", err))
	}
	return nil
}

// socket opens a TCP socket on the host.
func (h *host) socket(json.RawMessage, []int) (any, []int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socket", err)
	}
	return nil, []int{fd}, nil
}
