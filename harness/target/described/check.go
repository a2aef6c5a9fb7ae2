package described

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Problem is a mistake in a description.
type Problem struct {
	// Path is the field, as in ginkgo.yml: commands.stop, or nodes.0.address. It is empty for the whole.
	Path string
	// Problem is a sentence without the path. Allowed is what is allowed; it may be empty.
	Problem, Allowed string
}

func (p Problem) Error() string {
	text := strings.TrimPrefix(p.Path+": "+p.Problem, ": ")
	if p.Allowed != "" {
		text += "; allowed: " + p.Allowed
	}
	return text
}

// Check returns all mistakes of the description; none if a target can be made of it.
func (t Target) Check() []Problem {
	c := &checking{}
	for i, name := range t.Declares {
		c.name(fmt.Sprintf("declares.%d", i), name, Names(Assumptions()))
	}
	c.name("dialect", t.Dialect, Dialects())
	switch {
	case t.Programs == nil:
		c.nodes(t.Nodes)
		c.commands(t.Commands)
	case len(t.Nodes) > 0:
		c.add("nodes", "there are programs as well", "programs or nodes")
	default:
		c.programs(*t.Programs)
		for name, line := range t.Commands.Lines() {
			if line != "" {
				c.add("commands."+name, "the harness drives the programs by itself", "commands with nodes only")
			}
		}
	}
	switch {
	case t.HTTP == nil && t.Driver == nil:
		c.add("", "it does not say how nodes answer SQL", "http or driver")
	case t.HTTP != nil && t.Driver != nil:
		c.add("driver", "there is http as well", "http or driver")
	case t.HTTP != nil:
		c.http(*t.HTTP)
	default:
		c.required("driver.name", t.Driver.Name)
		c.required("driver.dsn", t.Driver.DSN)
		c.template("driver.dsn", t.Driver.DSN)
		c.rules("driver.rules", t.Driver.Rules)
	}
	c.status(t.Status)
	return c.problems
}

type checking struct{ problems []Problem }

func (c *checking) add(path, problem, allowed string) {
	c.problems = append(c.problems, Problem{path, problem, allowed})
}

func (c *checking) required(path, text string) bool {
	if text == "" {
		c.add(path, "it is missing", "")
	}
	return text != ""
}

func (c *checking) template(path, text string) {
	if _, err := Template(text, Encoding{}); err != nil {
		c.add(path, err.Error(), "")
	}
}

// name checks that a name is one of the known; it may be empty.
func (c *checking) name(path, given string, words []string) {
	if given != "" && !slices.Contains(words, given) {
		c.add(path, fmt.Sprintf("%q is not one of them", given), strings.Join(words, ", "))
	}
}

func (c *checking) nodes(nodes []Node) {
	if len(nodes) == 0 {
		c.add("nodes", "it lists no node", "one node or more, each with a name and an address")
	}
	seen := make(map[string]int)
	for i, n := range nodes {
		path := fmt.Sprintf("nodes.%d.", i)
		c.required(path+"address", n.Address)
		if !c.required(path+"name", n.Name) {
			continue
		}
		if first, again := seen[n.Name]; again {
			c.add(path+"name", fmt.Sprintf("%q is the name of node %d as well", n.Name, first), "")
			continue
		}
		seen[n.Name] = i
	}
}

func (c *checking) commands(o Commands) {
	if o.Timeout < 0 {
		c.add("commands.timeout", "it is negative", "")
	}
	for name, line := range o.Lines() {
		if line == "" {
			continue
		}
		c.line("commands."+name, line)
	}
	slices.SortFunc(c.problems, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) }) // lines come from a map
	c.together(o, "stop", "start", "kill")
	c.together(o, "pause", "resume")
	c.together(o, "cut", "heal")
	if (o.Version == "") != (len(o.Versions) == 0) {
		c.add("commands.version", "version and versions belong together", "")
	}
	if o.Version != "" && o.Start == "" {
		c.add("commands.version", "a node that is given another version must be started", "version with stop, start and kill")
	}
}

// Lines returns the command lines by name; those that are not given are empty.
func (o Commands) Lines() map[string]string {
	return map[string]string{
		"reset": o.Reset, "stop": o.Stop, "start": o.Start, "kill": o.Kill, "pause": o.Pause, "resume": o.Resume,
		"cut": o.Cut, "heal": o.Heal, "log": o.Log, "version": o.Version,
	}
}

// together checks that all of the commands are given, or none.
func (c *checking) together(o Commands, names ...string) {
	lines := o.Lines()
	var given, missing []string
	for _, name := range names {
		if lines[name] == "" {
			missing = append(missing, name)
		} else {
			given = append(given, name)
		}
	}
	if len(given) > 0 && len(missing) > 0 {
		c.add("commands."+given[0], missingWords(missing),
			strings.Join(names, ", ")+" together, or none of them")
	}
}

func (c *checking) http(h HTTP) {
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		c.template("http.headers."+name, h.Headers[name])
	}
	c.call("http.write", h.Write)
	if h.Read != nil {
		c.call("http.read", *h.Read)
	}
	for _, name := range slices.Sorted(maps.Keys(h.Levels)) {
		c.name("http.levels."+name, name, Names(Levels()))
	}
	c.required("http.answer.rows", h.Answer.Rows)
	c.rules("http.errors.rules", h.Errors.Rules)
}

func (c *checking) rules(path string, rules []Rule) {
	for i, rule := range rules {
		path := fmt.Sprintf("%s.%d.", path, i)
		c.name(path+"kind", rule.Kind, Names(Kinds()))
		if c.required(path+"outcome", rule.Outcome) {
			c.name(path+"outcome", rule.Outcome, Names(Outcomes()))
		}
	}
}

func (c *checking) programs(p Programs) {
	if c.required("programs.address", p.Address) {
		c.template("programs.address", p.Address)
	}
	if len(p.Start) == 0 {
		c.add("programs.start", "it starts nothing", "one command line or more")
	}
	for i, line := range p.Start {
		c.line(fmt.Sprintf("programs.start.%d", i), line)
	}
	for i, line := range p.Prepare {
		c.line(fmt.Sprintf("programs.prepare.%d", i), line)
	}
	c.name("programs.order", p.Order, Orders())
	c.name("programs.stop", p.Stop, Signals())
}

// line checks a command line.
func (c *checking) line(path, line string) {
	words, err := Words(line)
	if err != nil {
		c.add(path, err.Error(), "")
		return
	}
	for _, word := range words {
		c.template(path, word)
	}
}

func (c *checking) call(path string, call Call) {
	if c.required(path+".path", call.Path) && !strings.HasPrefix(call.Path, "/") {
		c.add(path+".path", fmt.Sprintf("%q does not begin with /", call.Path), "")
	}
	c.template(path+".method", call.Method)
	c.template(path+".path", call.Path)
	c.template(path+".body", call.Body)
}

func (c *checking) status(s Status) {
	if len(s.Ask) == 0 {
		c.add("status.ask", "it asks nothing", "one question or more")
	}
	for i, ask := range s.Ask {
		path := fmt.Sprintf("status.ask.%d", i)
		switch {
		case ask.Call == nil && ask.SQL == "":
			c.add(path, "it is no question", "call or sql")
		case ask.Call != nil && ask.SQL != "":
			c.add(path, "it has call and sql", "call or sql")
		case ask.Call != nil:
			c.call(path+".call", *ask.Call)
		}
	}
	for _, field := range s.Fields() {
		c.template("status."+field.Name, field.Text)
	}
}

// Field is a template of Status by its name.
type Field struct{ Name, Text string }

// Fields returns the templates of the status, in the order of their documentation.
func (s Status) Fields() []Field {
	return []Field{{"state", s.State}, {"role", s.Role}, {"leader", s.Leader}, {"term", s.Term}, {"commit", s.Commit},
		{"applied", s.Applied}, {"snapshot", s.Snapshot}, {"restores", s.Restores}, {"entries", s.Entries}, {"reason", s.Reason}}
}

func missingWords(names []string) string {
	if len(names) == 1 {
		return names[0] + " is missing"
	}
	return strings.Join(names, " and ") + " are missing"
}
