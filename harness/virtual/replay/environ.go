package replay

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Environ is env, as os.Environ returns it, with what the toolchain needs: GOFLAGS and
// GODEBUG keep what they have and get the overlay and asyncpreemptoff=1; GOROOT,
// GOTOOLCHAIN and PATH name the Go that was patched. If the toolchain is not exact, it is
// env as it is. The argument is not changed.
func (t Toolchain) Environ(env []string) []string {
	env = slices.Clone(env)
	if !t.Exact {
		return env
	}
	flags := lookup(env, "GOFLAGS")
	if flags == "" {
		flags = t.flags // as go env -w wrote them, which a variable hides
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

// withOverlay is GOFLAGS with this overlay, instead of another one of the cache.
func (t Toolchain) withOverlay(flags string) string {
	fields, err := splitFlags(flags)
	if err != nil {
		return flags // the go command says what is wrong with them
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
		return flags // cannot be: Prepare tried
	}
	return strings.Join(append(out, quoted), " ")
}

// withoutPreemption is GODEBUG with asyncpreemptoff=1, whatever it said of that.
func withoutPreemption(debug string) string {
	const name, want = "asyncpreemptoff=", "asyncpreemptoff=1"
	settings := slices.DeleteFunc(strings.Split(debug, ","), func(s string) bool {
		return s == "" || strings.HasPrefix(s, name)
	})
	return strings.Join(append(settings, want), ",")
}

// lookup is a variable's value in env, where the last one counts; "" if there is none.
func lookup(env []string, name string) string {
	for _, v := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// set gives a variable a value, in its place or at the end.
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
