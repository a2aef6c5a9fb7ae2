package page

import (
	"time"
)

// Run is what the page says about a whole run, and its list of specs.
type Run struct {
	Title   string    `json:"title"`
	Passed  bool      `json:"passed"`
	Verdict string    `json:"verdict"` // a sentence without a full stop
	Started time.Time `json:"started,omitzero"`
	Facts   []Fact    `json:"facts"`
	Again   string    `json:"again,omitempty"` // the command that runs it again
	Parts   []Part    `json:"parts,omitempty"`
	Specs   []Spec    `json:"specs"`          // in the order in which they are shown
	Runs    string    `json:"runs,omitempty"` // the address of the list of runs
	Kind    string    `json:"kind,omitempty"` // what ran, such as "chaos"; empty for a suite
}

// Fact is a name and a value.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Spec is an entry of the list.
type Spec struct {
	Name     string    `json:"name"`
	State    string    `json:"state"` // as Ginkgo names it; "" of a spec that has not ended
	Group    string    `json:"group"` // "failed", "slow", "passed", "skipped" or "unknown"
	Seconds  float64   `json:"seconds"`
	Labels   []string  `json:"labels,omitempty"`
	Place    string    `json:"place,omitempty"` // file and line of the spec
	Failure  *Failure  `json:"failure,omitempty"`
	Why      string    `json:"why,omitempty"`   // why it was skipped
	Again    string    `json:"again,omitempty"` // the command that runs it again
	Journals []Journal `json:"journals,omitempty"`
}

// Failure is why a spec failed.
type Failure struct {
	Message string `json:"message"`
	Place   string `json:"place,omitempty"`  // file and line
	Cause   string `json:"cause"`            // the same for failures of one cause
	Source  []Line `json:"source,omitempty"` // the lines around the place
	Notes   []Note `json:"notes,omitempty"`  // what the spec reported, such as the table of the cluster
}

// Line is a line of source code.
type Line struct {
	Number int    `json:"number"`
	Text   string `json:"text"`
	Here   bool   `json:"here,omitempty"`
}

// Note is a text with a title.
type Note struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// Journal describes a saved journal. Its trace is in the page under ID.
type Journal struct {
	ID      int    `json:"id"`
	File    string `json:"file"` // without its folder
	Seed    string `json:"seed,omitempty"`
	Target  string `json:"target,omitempty"`
	Nodes   int    `json:"nodes"`
	Events  int    `json:"events"`
	Length  int64  `json:"length"` // nanoseconds of the cluster's time
	Dropped int    `json:"dropped,omitempty"`
	Module  string `json:"module,omitempty"`
	Broken  int    `json:"broken,omitempty"` // how many judges object
}
