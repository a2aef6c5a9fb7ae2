package settings

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/rejoin-db/rejoin/harness/target/described"
)

// targets is the section of targets that the file describes: see package described.
const targets = "targets"

// Described tells that the caller can start the targets that the file describes, besides those of [Targets]. Without it
// the section is read and checked, and its names are no values of cluster.target.
func Described() Option {
	return func(l *loading) { l.described = true }
}

// readTargets reads the section before all others, since its names are values of cluster.target. It sets its problems
// aside, for readSection to report them in the order of lines.
func (f file) readTargets(root *yaml.Node) {
	before := len(f.problems)
	f.findTargets(root)
	f.aside = slices.Clone(f.problems[before:])
	f.problems = f.problems[:before]
}

func (f file) findTargets(root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		name, value := root.Content[i], root.Content[i+1]
		if name.Kind != yaml.ScalarNode || name.Value != targets || isNull(value) {
			continue
		}
		if problem := strange(value); problem != "" {
			f.problem(f.at(value), targets, targets+": "+problem, "a name and a description for each target")
			return
		}
		if value.Kind != yaml.MappingNode {
			f.problem(f.at(value), targets, targets+" is "+describe(value), "a name and a description for each target")
			return
		}
		builtIn := slices.Clone(f.limits.targets)
		f.eachPair(value, targets, func(name, value *yaml.Node) { f.readTarget(name, value, builtIn) })
		return
	}
}

func (f file) readTarget(name, value *yaml.Node, builtIn []string) {
	path := targets + "." + name.Value
	if slices.Contains(builtIn, name.Value) {
		f.problem(f.at(name), path, path+": the name is taken by a target that is built in", "a name besides "+strings.Join(builtIn, ", "))
		return
	}
	before := len(f.problems)
	t := tree{file: f, places: map[string]*yaml.Node{"": value}, root: path}
	var about described.Target
	t.read(value, "", &about)
	if f.described {
		f.limits.targets = append(f.limits.targets, name.Value)
	}
	if len(f.problems) > before {
		return
	}
	for _, problem := range about.Check() {
		whole := path
		if problem.Path != "" {
			whole += "." + problem.Path
		}
		f.problem(f.at(t.nearest(problem.Path)), whole, whole+": "+problem.Problem, problem.Allowed)
	}
	if f.settings.Targets == nil {
		f.settings.Targets = make(map[string]described.Target)
	}
	f.settings.Targets[name.Value] = about
}
