package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// value is a value of SQLite in JSON: nil, int64, float64, string or []byte.
type value struct{ v any }

// MarshalJSON is the form that the package's documentation describes. The driver gives values of columns that are
// declared as a time or a boolean other types.
func (v value) MarshalJSON() ([]byte, error) {
	switch x := v.v.(type) {
	case float64:
		return json.Marshal(map[string]string{"real": strconv.FormatFloat(x, 'g', -1, 64)})
	case []byte:
		return json.Marshal(map[string][]byte{"blob": x})
	case bool:
		if x {
			return []byte("1"), nil
		}
		return []byte("0"), nil
	case time.Time:
		return json.Marshal(x.UTC().Format("2006-01-02 15:04:05.999999999"))
	default: // nil, int64, string
		return json.Marshal(x)
	}
}

// UnmarshalJSON returns an error for JSON that is no value.
func (v *value) UnmarshalJSON(text []byte) error {
	switch first := bytes.TrimSpace(text)[0]; first {
	case 'n':
		v.v = nil
		return nil
	case '"':
		var s string
		err := json.Unmarshal(text, &s)
		v.v = s
		return err
	case '{':
		var typed struct {
			Real *string `json:"real"`
			Blob *[]byte `json:"blob"`
		}
		if err := json.Unmarshal(text, &typed); err != nil {
			return err
		}
		switch {
		case typed.Real != nil:
			f, err := strconv.ParseFloat(*typed.Real, 64)
			v.v = f
			return err
		case typed.Blob != nil:
			v.v = append([]byte{}, *typed.Blob...)
			return nil
		}
	default:
		if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			v.v = i
			return nil
		}
	}
	return fmt.Errorf("%s is no value: want null, an integer, a string, {\"real\": …} or {\"blob\": …}", text)
}
