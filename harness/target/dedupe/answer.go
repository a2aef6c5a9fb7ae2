package dedupe

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// result is a sqldb.Result as it is kept.
type result struct {
	Columns  []target.Column `json:"columns,omitempty"`
	Rows     [][]value       `json:"rows,omitempty"`
	Affected int64           `json:"affected,omitempty"`
	Counted  bool            `json:"counted,omitempty"`
}

// value is one value: the field of its type is set, or none for NULL. Text is kept as bytes, which need not be UTF-8, and a
// number with its bits.
type value struct {
	Integer *int64  `json:"i,omitempty"`
	Float   *uint64 `json:"f,omitempty"`
	Text    *[]byte `json:"s,omitempty"`
	Blob    *[]byte `json:"b,omitempty"`
}

func encode(answer *sqldb.Answer) ([]byte, error) {
	results := make([]result, len(answer.Results))
	for i, r := range answer.Results {
		results[i] = result{Columns: r.Columns, Affected: r.Affected, Counted: r.Counted}
		for _, row := range r.Rows {
			values := make([]value, len(row))
			for j, v := range row {
				var err error
				if values[j], err = valueOf(v); err != nil {
					return nil, err
				}
			}
			results[i].Rows = append(results[i].Rows, values)
		}
	}
	return json.Marshal(results)
}

func valueOf(v any) (value, error) {
	switch v := v.(type) {
	case nil:
		return value{}, nil
	case int64:
		return value{Integer: &v}, nil
	case float64:
		bits := math.Float64bits(v)
		return value{Float: &bits}, nil
	case string:
		bytes := []byte(v)
		return value{Text: &bytes}, nil
	case []byte:
		bytes := append([]byte{}, v...)
		return value{Blob: &bytes}, nil
	}
	return value{}, fmt.Errorf("an answer has a value of type %T", v)
}

func (v value) exact() any {
	switch {
	case v.Integer != nil:
		return *v.Integer
	case v.Float != nil:
		return math.Float64frombits(*v.Float)
	case v.Text != nil:
		return string(*v.Text)
	case v.Blob != nil:
		return *v.Blob
	}
	return nil
}

func decode(kept []byte) (*sqldb.Answer, error) {
	var results []result
	if err := json.Unmarshal(kept, &results); err != nil {
		return nil, fmt.Errorf("read the kept answer of a request: %w", err)
	}
	answer := &sqldb.Answer{}
	for _, r := range results {
		out := sqldb.Result{Columns: r.Columns, Affected: r.Affected, Counted: r.Counted}
		for _, values := range r.Rows {
			row := make([]any, len(values))
			for i, v := range values {
				row[i] = v.exact()
			}
			out.Rows = append(out.Rows, row)
		}
		answer.Results = append(answer.Results, out)
	}
	return answer, nil
}
