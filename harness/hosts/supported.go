package hosts

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// unsupportedError says that this machine cannot have hosts.
type unsupportedError struct {
	reason, remedy string
	cause          error
}

func (e *unsupportedError) Error() string {
	return fmt.Sprintf("hosts cannot be made on this machine, because %s: %s (%v)", e.reason, e.remedy, e.cause)
}

func (e *unsupportedError) Unwrap() error { return e.cause }

// because returns the error with the reason and the remedy, if it says that the system does not allow something. root is the
// root of the file system.
func because(err error, root fs.FS) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	switch errno {
	case syscall.EPERM, syscall.EACCES:
		reason, remedy := refusal(root)
		return &unsupportedError{reason, remedy, err}
	case syscall.ENOSPC, syscall.EUSERS:
		reason, remedy := limits(root)
		return &unsupportedError{reason, remedy, err}
	case syscall.EINVAL, syscall.ENOSYS, syscall.EOPNOTSUPP:
		return &unsupportedError{"its kernel lacks namespaces or network devices",
			"use a kernel with CONFIG_USER_NS, CONFIG_NET_NS, CONFIG_PID_NS, and CONFIG_TUN or CONFIG_VETH, or load the module tun or veth", err}
	default:
		return err
	}
}

const inContainer = "start the container with --privileged, or with --security-opt seccomp=unconfined, " +
	"--security-opt apparmor=unconfined and --security-opt systempaths=unconfined"

// refusal says why the system refuses a namespace, or a privilege in one.
func refusal(root fs.FS) (reason, remedy string) {
	switch {
	case setting(root, "kernel/unprivileged_userns_clone") == "0":
		return "only root may make user namespaces", "run sysctl -w kernel.unprivileged_userns_clone=1, or run as root"
	case setting(root, "user/max_user_namespaces") == "0":
		return "user namespaces are switched off", "run sysctl -w user.max_user_namespaces=10000, or run as root"
	case setting(root, "kernel/apparmor_restrict_unprivileged_userns") == "1":
		return "AppArmor takes all privileges from user namespaces",
			"run sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run as root"
	case exists(root, ".dockerenv") || exists(root, "run/.containerenv") || seccomp(root):
		return "this container may not make namespaces", inContainer
	}
	return "this process may not make namespaces", "run as root, or allow user namespaces to this user; in a container: " + inContainer
}

// limits says which limit of namespaces is reached.
func limits(root fs.FS) (reason, remedy string) {
	for _, kind := range []string{"user", "net", "pid", "mnt", "uts", "ipc"} {
		if name := "user.max_" + kind + "_namespaces"; setting(root, strings.ReplaceAll(name, ".", "/")) == "0" {
			return name + " is 0", "run sysctl -w " + name + "=10000, or run as root"
		}
	}
	return "the limit of namespaces is reached", "raise user.max_user_namespaces and user.max_net_namespaces with sysctl -w"
}

func setting(root fs.FS, name string) string {
	text, err := fs.ReadFile(root, "proc/sys/"+name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func exists(root fs.FS, name string) bool {
	_, err := fs.Stat(root, name)
	return err == nil
}

// seccomp returns whether system calls of this process are filtered.
func seccomp(root fs.FS) bool {
	text, err := fs.ReadFile(root, "proc/self/status")
	return err == nil && strings.Contains(string(text), "\nSeccomp:\t2")
}
