package settings

import "strings"

// A key is one setting: its name, and how to parse, limit and format its value.
type key struct {
	section, name string
	usage         string
	form          form
	// allowed describes the allowed values, for messages.
	allowed func(limits) string
	// set parses the text and stores the value, or stores nothing and returns the problem.
	set func(*Settings, string, limits) (problem string)
	// show formats the value so that set can parse it.
	show func(*Settings) string
}

// limits are the values that the caller allows.
type limits struct {
	targets []string
	defects []string
}

// A form is the YAML type that a value must have.
type form int

const (
	anyScalar form = iota
	// unquoted rejects "3" and "true": quotes mark text.
	unquoted
	// textual rejects plain 5 and true: they are a number and a boolean in YAML.
	textual
)

func (k key) path() string     { return k.section + "." + k.name }
func (k key) flag() string     { return "rejoin." + k.name }
func (k key) variable() string { return prefix + strings.ToUpper(strings.ReplaceAll(k.name, "-", "_")) }

// namesIn lists the keys of one section.
func namesIn(section string) []string {
	var names []string
	for _, k := range keys {
		if k.section == section {
			names = append(names, k.name)
		}
	}
	return names
}

func find(section, name string) (key, bool) {
	for _, k := range keys {
		if k.section == section && k.name == name {
			return k, true
		}
	}
	return key{}, false
}
