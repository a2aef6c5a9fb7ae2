package httpsql

import (
	"fmt"
	"maps"
	"slices"
	"text/template"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
)

// API is an HTTP API. It is safe for concurrent use.
type API struct {
	shape       described.HTTP
	headers     []header
	write, read call
	rules       []rule
}

type header struct {
	name  string
	value *template.Template
}

// call is a described.Call with its templates parsed.
type call struct{ method, path, body *template.Template }

// rule is a described.Rule with its words looked up.
type rule struct {
	described.Rule
	outcome target.Outcome
	kind    error
}

// NewAPI parses a description. The error names the field.
func NewAPI(shape described.HTTP) (*API, error) {
	a := &API{shape: shape}
	for _, name := range slices.Sorted(maps.Keys(shape.Headers)) {
		value, err := described.Template(shape.Headers[name], shape.Encoding())
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		a.headers = append(a.headers, header{name, value})
	}
	if shape.Write.Path == "" {
		return nil, fmt.Errorf("write: the path is missing")
	}
	var err error
	if a.write, err = a.parse(shape.Write); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	a.read = a.write
	if shape.Read != nil {
		if a.read, err = a.parse(*shape.Read); err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
	}
	for i, r := range shape.Errors.Rules {
		outcome, known := described.Outcomes()[r.Outcome]
		if !known {
			return nil, fmt.Errorf("rule %d of the errors: outcome %q is unknown", i, r.Outcome)
		}
		kind := described.Kinds()[r.Kind]
		if r.Kind != "" && kind == nil {
			return nil, fmt.Errorf("rule %d of the errors: kind %q is unknown", i, r.Kind)
		}
		a.rules = append(a.rules, rule{r, outcome, kind})
	}
	return a, nil
}

func (a *API) parse(c described.Call) (out call, err error) {
	if c.Method == "" {
		c.Method = "GET"
		if c.Body != "" {
			c.Method = "POST"
		}
	}
	for _, field := range []struct {
		name, text string
		to         **template.Template
	}{{"method", c.Method, &out.method}, {"path", c.Path, &out.path}, {"body", c.Body, &out.body}} {
		if *field.to, err = described.Template(field.text, a.shape.Encoding()); err != nil {
			return call{}, fmt.Errorf("%s: %w", field.name, err)
		}
	}
	return out, nil
}
