package settings

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// tree reads YAML into a structure of plain data. The keys are the names of the fields with dashes: ColumnName is
// column-name. It reports every problem with its line, and remembers where each value is.
type tree struct {
	file
	root   string                // the path of the whole, for messages
	places map[string]*yaml.Node // by the path below root
}

// nearest is where the value at a path is, or the innermost that is around it.
func (t *tree) nearest(path string) *yaml.Node {
	for {
		if node, known := t.places[path]; known {
			return node
		}
		path = path[:max(strings.LastIndexByte(path, '.'), 0)]
	}
}

// read reads a node into the value that to points at.
func (t *tree) read(node *yaml.Node, path string, to any) {
	t.value(node, path, reflect.ValueOf(to).Elem())
}

var durationType = reflect.TypeFor[time.Duration]()

func (t *tree) value(node *yaml.Node, path string, to reflect.Value) {
	t.places[path] = node
	if problem := strange(node); problem != "" {
		t.wrong(node, path, problem, "")
		return
	}
	switch {
	case to.Type() == durationType:
		t.duration(node, path, to)
		return
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		t.value(node, path, to.Elem())
		return
	case isNull(node):
		t.wrong(node, path, "the value is missing", "")
		return
	}
	wanted := map[reflect.Kind]yaml.Kind{reflect.Struct: yaml.MappingNode, reflect.Map: yaml.MappingNode, reflect.Slice: yaml.SequenceNode}
	kind, composed := wanted[to.Kind()]
	if !composed {
		kind = yaml.ScalarNode
	}
	if node.Kind != kind {
		t.wrong(node, path, "the value is "+describe(node), kinds[kind])
		return
	}
	switch to.Kind() {
	case reflect.Struct:
		t.fields(node, path, to)
	case reflect.Map:
		to.Set(reflect.MakeMap(to.Type()))
		t.eachPair(node, t.whole(path), func(name, value *yaml.Node) {
			one := reflect.New(to.Type().Elem()).Elem()
			t.value(value, below(path, name.Value), one)
			to.SetMapIndex(reflect.ValueOf(name.Value), one)
		})
	case reflect.Slice:
		for i, inner := range node.Content {
			one := reflect.New(to.Type().Elem()).Elem()
			t.value(inner, below(path, strconv.Itoa(i)), one)
			to.Set(reflect.Append(to, one))
		}
	default:
		t.scalar(node, path, to)
	}
}

var kinds = map[yaml.Kind]string{yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value"}

func (t *tree) scalar(node *yaml.Node, path string, to reflect.Value) {
	switch to.Kind() {
	case reflect.String:
		to.SetString(node.Value)
	case reflect.Bool:
		if node.Value != "true" && node.Value != "false" {
			t.wrong(node, path, quote(node.Value)+" is neither true nor false", "true or false")
			return
		}
		to.SetBool(node.Value == "true")
	case reflect.Int:
		number, err := strconv.Atoi(node.Value)
		if err != nil {
			t.wrong(node, path, quote(node.Value)+" is not a whole number", "a whole number")
			return
		}
		to.SetInt(int64(number))
	default:
		panic(fmt.Sprintf("settings: a description has a field of type %v", to.Type()))
	}
}

func (t *tree) duration(node *yaml.Node, path string, to reflect.Value) {
	const allowed = "a duration such as 300ms, 2s or 1m"
	d, err := time.ParseDuration(node.Value)
	switch {
	case node.Kind != yaml.ScalarNode:
		t.wrong(node, path, "the value is "+describe(node), allowed)
	case err != nil && isNumber(node.Value):
		t.wrong(node, path, quote(node.Value)+" has no unit such as ms, s or m", allowed)
	case err != nil:
		t.wrong(node, path, quote(node.Value)+" is not a duration", allowed)
	case d < 0:
		t.wrong(node, path, named(node.Value)+" is negative", allowed)
	default:
		to.SetInt(int64(d))
	}
}

func (t *tree) fields(node *yaml.Node, path string, to reflect.Value) {
	index := make(map[string]int)
	var known []string
	for i := range to.NumField() {
		name := dashed(to.Type().Field(i).Name)
		index[name] = i
		known = append(known, name)
	}
	t.eachPair(node, t.whole(path), func(name, value *yaml.Node) {
		i, found := index[name.Value]
		if !found {
			whole := t.whole(below(path, name.Value))
			t.problem(t.at(name), whole, named(whole)+" is not a key"+suggest(name.Value, known), strings.Join(known, ", "))
			return
		}
		t.value(value, below(path, name.Value), to.Field(i))
	})
}

func (t *tree) wrong(node *yaml.Node, path, problem, allowed string) {
	t.problem(t.at(node), t.whole(path), t.whole(path)+": "+problem, allowed)
}

func (t *tree) whole(path string) string { return below(t.root, path) }

func below(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return path + "." + name
}

// dashed is the name of a field in YAML: ColumnName is column-name, SQL is sql.
func dashed(field string) string {
	var b strings.Builder
	letters := []rune(field)
	for i, r := range letters {
		if unicode.IsUpper(r) && i > 0 && unicode.IsLower(letters[i-1]) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
