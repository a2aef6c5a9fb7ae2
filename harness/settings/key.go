package settings

import "strings"

// A key is one setting: its name, and how its value is read, limited and shown.
type key struct {
	section, name string
	usage         string
	form          form
	// allowed says what may be written, for messages.
	allowed func(limits) string
	// set stores what the text means, or stores nothing and says what is wrong with it.
	set func(*Settings, string, limits) (problem string)
	// show writes the value the way set reads it.
	show func(*Settings) string
}

// limits are the bounds that only the caller knows.
type limits struct {
	targets []string
	defects []string
}

// A form is what YAML itself must take a value for, before its text is looked at.
type form int

const (
	anyScalar form = iota
	// unquoted refuses "3" and "true": quotes say that text was meant.
	unquoted
	// textual refuses 5 and true: a plain number or boolean was hardly meant as text.
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
