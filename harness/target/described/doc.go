// Package described holds the words for a database that is tested without Go code. They are plain data: ginkgo.yml
// has them in its section targets, and a program may fill them in as well.
//
//	Target     a cluster that runs already (Nodes, Commands), how it answers SQL, and what its status is
//	HTTP       SQL over an HTTP API: requests as templates, and where the answer has what
//	Driver     SQL by database/sql: the name of a driver that the test binary imports, and a template of its DSN
//	Status     where health, leader and indexes are read
//
// Texts with {{…}} are templates of text/template. Target.Check returns every mistake, with the path of the field.
package described
