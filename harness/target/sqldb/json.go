package sqldb

import (
	"encoding/json"
	"strconv"
)

// FromJSON is a value of an answer in JSON, decoded with UseNumber, as an exact one: a boolean is 0 or 1, a number without a point
// an int64 unless real says that its column holds floating-point numbers, and an array of the numbers of bytes a blob. What is
// none of these is returned as it is, and the kit refuses it.
func FromJSON(real bool, v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil && !real {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case []any:
		blob := make([]byte, len(v))
		for i, b := range v {
			number, _ := b.(json.Number)
			n, err := strconv.ParseUint(number.String(), 10, 8)
			if err != nil {
				return v
			}
			blob[i] = byte(n)
		}
		return blob
	}
	return v
}
