package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// file walks the YAML nodes of ginkgo.yml instead of decoding it into structs: only nodes know their line, and
// all problems are reported, not only the first.
type file struct {
	*loading
	name string
}

func (l *loading) readFile(name string, content []byte) {
	f := file{loading: l, name: name}
	root, err := f.onlyDocument(content)
	if err != nil {
		l.problems = append(l.problems, err)
		return
	}
	if root == nil || isNull(root) {
		return
	}
	allowed := "the sections " + strings.Join(append(sections[:len(sections):len(sections)], targets), ", ")
	if problem := strange(root); problem != "" {
		f.problem(f.at(root), "", problem, allowed)
		return
	}
	if root.Kind != yaml.MappingNode {
		f.problem(f.at(root), "", "the file is "+describe(root), allowed)
		return
	}
	f.readTargets(root)
	f.eachPair(root, "", f.readSection)
}

// onlyDocument returns the root of the only document, or nil if the file has none.
func (f file) onlyDocument(content []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	var first, second yaml.Node
	if err := loader.Load(&first); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, f.syntax(err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, &Error{Source: f.at(&second), Problem: "a second document starts here", Allowed: "one document"}
	} else if !errors.Is(err, io.EOF) {
		return nil, f.syntax(err)
	}
	return first.Content[0], nil
}

func (f file) syntax(err error) error {
	told := &Error{Source: f.name, Problem: "the file is not YAML: " + err.Error()}
	var at *yaml.LoadError
	if errors.As(err, &at) {
		told.Problem = "the file is not YAML: " + at.Message
		if at.Mark.Line > 0 {
			told.Source = fmt.Sprintf("%s:%d:%d", f.name, at.Mark.Line, at.Mark.Column)
		}
	}
	return told
}

func (f file) readSection(name, value *yaml.Node) {
	if name.Value == targets {
		f.problems, f.aside = append(f.problems, f.aside...), nil
		return
	}
	if all := append(sections[:len(sections):len(sections)], targets); !slices.Contains(sections, name.Value) {
		f.problem(f.at(name), name.Value,
			named(name.Value)+" is not a section"+meant("", name.Value, all), strings.Join(all, ", "))
		return
	}
	allowed := "the settings " + strings.Join(namesIn(name.Value), ", ")
	if problem := strange(value); problem != "" {
		f.problem(f.at(value), name.Value, name.Value+": "+problem, allowed)
		return
	}
	// A section whose every line is commented out is written as null.
	if isNull(value) {
		return
	}
	if value.Kind != yaml.MappingNode {
		f.problem(f.at(value), name.Value, name.Value+" is "+describe(value), allowed)
		return
	}
	f.eachPair(value, name.Value, func(inner, value *yaml.Node) { f.readKey(name.Value, inner, value) })
}

func (f file) readKey(section string, name, value *yaml.Node) {
	k, found := find(section, name.Value)
	if !found {
		path, known := section+"."+name.Value, namesIn(section)
		f.problem(f.at(name), path, named(path)+" is not a setting"+meant(section, name.Value, known), strings.Join(known, ", "))
		return
	}
	// From here on the key counts as written, even if its value is invalid.
	f.sources[k.path()] = f.at(value)
	if problem := mistyped(k.form, value); problem != "" {
		f.reject(f.at(value), k, problem)
		return
	}
	f.set(k, value.Value, f.at(value))
}

// eachPair visits the pairs of a mapping. It reports keys that are not plain names and names that occur twice.
func (f file) eachPair(mapping *yaml.Node, inside string, visit func(name, value *yaml.Node)) {
	lines := map[string]int{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		name, value := mapping.Content[i], mapping.Content[i+1]
		path := name.Value
		if inside != "" {
			path = inside + "." + name.Value
		}
		if problem := strange(name); problem != "" {
			f.problem(f.at(name), path, problem, "a plain name")
			continue
		}
		if name.Kind != yaml.ScalarNode {
			f.problem(f.at(name), inside, "a name is "+describe(name), "a plain name")
			continue
		}
		if line, again := lines[name.Value]; again {
			f.problem(f.at(name), path, fmt.Sprintf("%s is set twice, first in line %d", named(path), line), "each name once")
			continue
		}
		lines[name.Value] = name.Line
		visit(name, value)
	}
}

// strange reports YAML features that settings do not use: aliases, anchors and tags.
func strange(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.AliasNode:
		return named("*"+node.Value) + " is an alias"
	case node.Anchor != "":
		return named("&"+node.Anchor) + " is an anchor"
	case node.Style&yaml.TaggedStyle != 0:
		return named(node.Tag) + " is a tag"
	}
	return ""
}

// meant suggests a name. A key of that name in a different section comes first.
func meant(section, name string, known []string) string {
	for _, k := range keys {
		if k.name == name && k.section != section {
			return "; did you mean " + quote(k.path()) + "?"
		}
	}
	return suggest(name, known)
}

func (f file) at(node *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", f.name, node.Line, node.Column)
}

// mistyped reports a node whose YAML type is wrong, whatever its text.
func mistyped(wanted form, node *yaml.Node) string {
	quoted := node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	switch {
	case strange(node) != "":
		return strange(node)
	case node.Kind != yaml.ScalarNode:
		return "the value is " + describe(node)
	case isNull(node):
		return "the value is missing"
	case wanted == unquoted && quoted:
		return quote(node.Value) + " is text: remove the quotes"
	case wanted == textual && node.Tag != "!!str":
		return named(node.Value) + " is not text: put it in quotes"
	}
	return ""
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!null"
}

func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "the single value " + quote(node.Value)
	}
}
