package replay

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Environ returns env, in the form of os.Environ, with the variables that the toolchain needs. GOFLAGS and GODEBUG
// keep their settings and get the overlay and asyncpreemptoff=1; GOROOT, GOTOOLCHAIN and PATH name the patched Go.
// If the toolchain is not exact, it returns a copy of env. It does not change env.
func (t Toolchain) Environ(env []string) []string {
	env = slices.Clone(env)
	if !t.Exact {
		return env
	}
	flags := lookup(env, "GOFLAGS")
	if flags == "" {
		flags = t.flags // written by go env -w, which the variable would hide
	}
	env = set(env, "GOFLAGS", t.withOverlay(flags))
	env = set(env, "GODEBUG", withoutPreemption(lookup(env, "GODEBUG")))
	env = set(env, "GOROOT", t.Root)
	env = set(env, "GOTOOLCHAIN", "local")
	bin := filepath.Dir(t.Go)
	path := lookup(env, "PATH")
	if first, _, _ := strings.Cut(path, string(os.PathListSeparator)); first != bin {
		env = set(env, "PATH", strings.TrimSuffix(bin+string(os.PathListSeparator)+path, string(os.PathListSeparator)))
	}
	return env
}

// withOverlay returns GOFLAGS with this overlay. It replaces other overlays of the cache.
func (t Toolchain) withOverlay(flags string) string {
	fields, err := splitFlags(flags)
	if err != nil {
		return flags // the go command reports the error
	}
	var out []string
	for _, flag := range fields {
		if file, ok := overlayOf(flag); ok && t.cache.owns(file) {
			continue
		}
		if quoted, err := quoteFlag(flag); err == nil {
			out = append(out, quoted)
		}
	}
	quoted, err := quoteFlag("-overlay=" + t.Overlay)
	if err != nil {
		return flags // unreachable: Prepare checked it
	}
	return strings.Join(append(out, quoted), " ")
}

// withoutPreemption returns GODEBUG with asyncpreemptoff=1.
func withoutPreemption(debug string) string {
	const name, want = "asyncpreemptoff=", "asyncpreemptoff=1"
	settings := slices.DeleteFunc(strings.Split(debug, ","), func(s string) bool {
		return s == "" || strings.HasPrefix(s, name)
	})
	return strings.Join(append(settings, want), ",")
}

// lookup returns the last value of a variable in env; "" if there is none.
func lookup(env []string, name string) string {
	for _, v := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// set sets a variable, in its place or at the end.
func set(env []string, name, value string) []string {
	variable := name + "=" + value
	at := slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if at < 0 {
		return append(env, variable)
	}
	env[at] = variable
	rest := slices.DeleteFunc(env[at+1:], func(v string) bool { return strings.HasPrefix(v, name+"=") })
	return env[:at+1+len(rest)]
}
