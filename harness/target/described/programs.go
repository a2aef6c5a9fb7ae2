package described

// Programs are what a node of a cluster consists of that the harness starts. Every node has a host with an address of its
// own, so that ports are constants; they should be below 32768. All texts are templates of proc.View: {{.Name}}, {{.Host}},
// {{.Dir}}, {{.Index}}, {{range .Nodes}}{{.Name}} {{.Host}}{{end}}, {{.Bootstrap}}, {{.Joining}}, {{.Vars.binary}}.
type Programs struct {
	// Vars are values for templates: {{.Vars.binary}}. ${NAME} in a value is a variable of the environment.
	Vars map[string]string
	// Address is host:port of the clients' endpoint: "{{.Host}}:5432".
	Address string
	// Files are written before each start, below the node's folder: content by path.
	Files map[string]string
	// Prepare are commands that run to their end before the first start on an empty disk.
	Prepare []string
	// Start are the programs of a node as command lines, in the order of their start.
	Start []string
	// Environment are variables of the programs as KEY=value.
	Environment []string
	// Stop asks a program to stop: a signal, TERM (the default), INT, QUIT or HUP.
	Stop string
	// Order is together (the default), first-alone or one-by-one.
	Order string
	// Versions are the versions of the database, oldest first, each with values that replace Vars.
	Versions []Version
}

// Version is a version of the database.
type Version struct {
	Name string
	Vars map[string]string
}
