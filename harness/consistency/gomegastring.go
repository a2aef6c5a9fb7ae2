package consistency

import "fmt"

// GomegaString says in short which nodes differ: Gomega shows it after the error's text, in
// place of all fields.
func (e *InconsistencyError) GomegaString() string {
	return fmt.Sprintf("node %d and node %d differ", e.A.Node, e.B.Node)
}
