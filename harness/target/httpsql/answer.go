package httpsql

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// decode reads one JSON document, with numbers as they are written.
func decode(body []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("the answer is not JSON: %w: %s", err, abridged(body))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the answer is more than one JSON document: %s", abridged(body))
	}
	return document, nil
}

// plain replaces numbers as they are written by numbers that can be compared.
func plain(document any) any {
	switch d := document.(type) {
	case map[string]any:
		for key, value := range d {
			d[key] = plain(value)
		}
	case []any:
		for i, value := range d {
			d[i] = plain(value)
		}
	case json.Number:
		if whole, err := d.Int64(); err == nil {
			return whole
		}
		if number, err := d.Float64(); err == nil && strings.ContainsAny(string(d), ".eE") {
			return number
		}
	}
	return document
}

// at follows a path; nil if there is nothing.
func at(document any, path string) any {
	if path == "" {
		return document
	}
	for name := range strings.SplitSeq(path, ".") {
		switch d := document.(type) {
		case map[string]any:
			document = d[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(d) {
				return nil
			}
			document = d[i]
		default:
			return nil
		}
	}
	return document
}

// text is a value of an answer as text; "" for null and for what is missing.
func text(document any, path string) string {
	if path == "" {
		return ""
	}
	switch v := at(document, path).(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any, []any:
		written, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(written)
	default:
		return fmt.Sprint(v)
	}
}

// results are the results of an answer, or the error that it tells.
func (a *API) results(node string, status int, body []byte) ([]sqldb.Result, error) {
	answer, errors := a.shape.Answer, a.shape.Errors
	document, err := decode(body)
	if err != nil {
		if status >= http.StatusMultipleChoices {
			return nil, a.fault(node, status, "", "", string(body))
		}
		return nil, malformed(node, err)
	}
	code, message, says := text(document, errors.Code), text(document, errors.Message), text(document, errors.Outcome)
	if status >= http.StatusMultipleChoices || code != "" || message != "" {
		if message == "" {
			message = abridged(body)
		}
		return nil, a.fault(node, status, code, says, message)
	}
	list := []any{document}
	if answer.Results != "" {
		var is bool
		if list, is = at(document, answer.Results).([]any); !is {
			return nil, malformed(node, fmt.Errorf("%s is no list in the answer: %s", answer.Results, abridged(body)))
		}
	}
	out := make([]sqldb.Result, 0, len(list))
	for _, one := range list {
		if message := text(one, errors.Result); message != "" {
			return nil, a.fault(node, status, "", "", message)
		}
		r, err := a.result(one)
		if err != nil {
			return nil, malformed(node, fmt.Errorf("%w: %s", err, abridged(body)))
		}
		out = append(out, r)
	}
	if answer.Complete != "" && at(document, answer.Complete) == nil {
		return nil, malformed(node, fmt.Errorf("the answer is incomplete: it has no %s: %s", answer.Complete, abridged(body)))
	}
	return out, nil
}

// malformed is the error of an answer that cannot be read: what became of the request is unknown.
func malformed(node string, err error) error {
	return &target.Error{Node: node, Code: "MALFORMED", Message: err.Error(), Outcome: target.Unknown, Cause: err}
}

// fault is the error that an answer tells.
func (a *API) fault(node string, status int, code, says, message string) error {
	e := &target.Error{Node: node, Code: code, Message: message, Outcome: target.Unknown}
	if code == "" {
		e.Code = fmt.Sprintf("HTTP %d", status)
	}
	for _, r := range a.rules {
		if (r.Status == 0 || r.Status == status) && (r.Code == "" || r.Code == code) && (r.Says == "" || r.Says == says) &&
			strings.Contains(message, r.Contains) {
			e.Outcome, e.Kind, e.Temporary = r.outcome, r.kind, r.Temporary
			break
		}
	}
	return e
}

// result reads the answer to one statement.
func (a *API) result(document any) (r sqldb.Result, err error) {
	shape := a.shape.Answer
	if r.Columns, err = a.columns(document); err != nil {
		return r, err
	}
	if shape.Affected != "" {
		if number, is := at(document, shape.Affected).(json.Number); is {
			r.Affected, err = number.Int64()
			r.Counted = err == nil
		}
	}
	list, is := at(document, shape.Rows).([]any)
	if !is && at(document, shape.Rows) != nil {
		return r, fmt.Errorf("%s is no list", shape.Rows)
	}
	for _, one := range list {
		var values []any
		switch row := one.(type) {
		case []any:
			values = row
		case map[string]any:
			if len(r.Columns) == 0 {
				for name := range row {
					r.Columns = append(r.Columns, target.Column{Name: name})
				}
				slices.SortFunc(r.Columns, func(a, b target.Column) int { return strings.Compare(a.Name, b.Name) })
			}
			for _, column := range r.Columns {
				values = append(values, row[column.Name])
			}
		default:
			return r, fmt.Errorf("a row is %T, and neither a list nor an object", one)
		}
		row := make([]any, len(values))
		for i, v := range values {
			kind := ""
			if i < len(r.Columns) {
				kind = r.Columns[i].Type
			}
			if row[i], err = a.value(v, kind); err != nil {
				return r, err
			}
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

func (a *API) columns(document any) (out []target.Column, err error) {
	shape := a.shape.Answer
	if shape.Columns == "" {
		return nil, nil
	}
	list, is := at(document, shape.Columns).([]any)
	if !is && at(document, shape.Columns) != nil {
		return nil, fmt.Errorf("%s is no list", shape.Columns)
	}
	for _, one := range list {
		column := target.Column{Name: text(one, shape.ColumnName), Type: text(one, shape.ColumnType)}
		if name, is := one.(string); is && shape.ColumnName == "" {
			column.Name = name
		}
		out = append(out, column)
	}
	if shape.Types != "" {
		types, _ := at(document, shape.Types).([]any)
		for i := range min(len(types), len(out)) {
			out[i].Type, _ = types[i].(string)
		}
	}
	return out, nil
}

// value reads a value of a row.
func (a *API) value(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			number, err := strconv.ParseFloat(string(v), 64)
			if errors.Is(err, strconv.ErrRange) { // JSON has no infinity: 9e999
				err = nil
			}
			return number, err
		}
		return strconv.ParseInt(string(v), 10, 64)
	case string:
		if a.shape.Blob == "" && strings.EqualFold(kind, "blob") {
			return base64.StdEncoding.DecodeString(v)
		}
		return v, nil
	case map[string]any:
		if written, is := v[a.shape.Blob].(string); is && a.shape.Blob != "" && len(v) == 1 {
			return base64.StdEncoding.DecodeString(written)
		}
		if written, is := v[a.shape.Text].(string); is && a.shape.Text != "" && len(v) == 1 {
			text, err := base64.StdEncoding.DecodeString(written)
			return string(text), err
		}
		if written, is := v[a.shape.Real].(string); is && a.shape.Real != "" && len(v) == 1 {
			return strconv.ParseFloat(written, 64)
		}
	}
	return nil, fmt.Errorf("a value is %T", v)
}
