// Command platforms checks that the module's packages build on macOS and Windows, from any
// machine and without a C compiler for these systems. Run it in the root of the module:
//
//	go run ./harness/cmd/platforms
//
//	kit      builds and vets without cgo, on macOS and Windows: what tests any database
//	node     has no type errors with cgo, on macOS: the embedded database and its targets
//	refusal  has no type errors with cgo, on Windows, where the targets compile and refuse to boot
//
// Packages with cgo are checked from their source, and what they take from C is not. The exit
// code is 1 if a check fails.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
)

const module = "github.com/rejoin-db/rejoin/"

// kit are the packages that test any database.
var kit = []string{
	"fixtures", "specs", "harness", "harness/again", "harness/chaos", "harness/check", "harness/consistency", "harness/disk",
	"harness/fault", "harness/nemesis", "harness/journal/...", "harness/matchers", "harness/network", "harness/promises",
	"harness/report", "harness/settings", "harness/sqltext", "harness/target", "harness/workload",
	"harness/held", "harness/hosts/...", "harness/isolation", "harness/target/dedupe", "harness/target/described",
	"harness/target/dialect", "harness/target/external", "harness/target/httpsql", "harness/target/plain", "harness/target/proc",
	"harness/target/programs", "harness/target/sqldb", "harness/target/targettest",
	"harness/virtual/replay", "harness/cmd/judge", "harness/cmd/live",
}

// node are the embedded database, its targets, and the commands that need them.
var node = []string{
	"harness/embedded/...", "harness/local", "harness/virtual", "harness/process/...", "harness/cmd/node", "harness/cmd/cluster",
}

// platform is a system and an architecture, as Go names them.
type platform struct{ system, architecture string }

func (p platform) String() string { return p.system + "/" + p.architecture }

func (p platform) environment(cgo string) []string {
	return append(os.Environ(), "GOOS="+p.system, "GOARCH="+p.architecture, "CGO_ENABLED="+cgo)
}

var (
	mac     = platform{"darwin", "arm64"}
	windows = platform{"windows", "amd64"}
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if !run(ctx, os.Stdout) {
		os.Exit(1)
	}
}

// run makes all checks and returns whether all passed.
func run(ctx context.Context, out io.Writer) bool {
	passed := true
	report := func(on platform, what string, err error) {
		if err != nil {
			passed = false
			fmt.Fprintf(out, "%s: %s: %v\n", on, what, err)
			return
		}
		fmt.Fprintf(out, "%s: %s: ok\n", on, what)
	}
	for _, on := range []platform{mac, windows} {
		report(on, "kit builds without cgo", build(ctx, on))
		report(on, "kit vets without cgo", vet(ctx, on))
	}
	report(mac, "node has no type errors", typeErrors(ctx, mac, node))
	report(windows, "node has no type errors", typeErrors(ctx, windows, node))
	return passed
}

func build(ctx context.Context, on platform) error {
	_, err := command(ctx, on.environment("0"), append([]string{"build"}, paths(kit)...)...)
	return err
}

// vet leaves out packages whose tests need the embedded database, and so cgo. go list shows
// these with cgo switched on, for which it needs no C compiler.
func vet(ctx context.Context, on platform) error {
	const format = "{{.ImportPath}} {{join .Deps \" \"}}"
	listed, err := command(ctx, on.environment("1"), append([]string{"list", "-test", "-f", format}, paths(kit)...)...)
	if err != nil {
		return err
	}
	var packages, needCgo []string
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line)
		name, isTest := strings.CutSuffix(fields[0], ".test")
		switch {
		case isTest && slices.Contains(fields, "github.com/mattn/go-sqlite3"):
			needCgo = append(needCgo, name)
		case !isTest && !strings.Contains(line, "[") && !slices.Contains(packages, name):
			packages = append(packages, name)
		}
	}
	packages = slices.DeleteFunc(packages, func(name string) bool { return slices.Contains(needCgo, name) })
	_, err = command(ctx, on.environment("0"), append([]string{"vet"}, packages...)...)
	return err
}

// paths returns import paths of packages of the module.
func paths(packages []string) []string {
	all := make([]string, len(packages))
	for i, p := range packages {
		all[i] = module + p
	}
	return all
}

// command runs the go command and returns what it wrote to stdout.
func command(ctx context.Context, environment []string, args ...string) (string, error) {
	var out, said strings.Builder
	c := exec.CommandContext(ctx, "go", args...)
	c.Env, c.Stdout, c.Stderr = environment, &out, &said
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w:\n%s", args[0], err, said.String())
	}
	return out.String(), nil
}
