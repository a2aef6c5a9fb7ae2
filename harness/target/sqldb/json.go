package sqldb

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rejoin-db/rejoin/harness/target/dialect"
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

// ToJSON is the opposite of FromJSON for the parameters of a statement: values which encoding/json writes so that a floating-point
// number has a point or an exponent, and a blob is an array of the numbers of its bytes. name is the database, for the
// *dialect.UnsupportedError of what JSON cannot carry: a number that is not finite, and a text that is not UTF-8.
func ToJSON(name string, s dialect.Statement) (params []any, err error) {
	for _, p := range s.Params {
		switch v := p.(type) {
		case float64:
			text := strconv.FormatFloat(v, 'g', -1, 64)
			if math.IsInf(v, 0) || math.IsNaN(v) {
				return nil, dialect.Unsupported(name, s.SQL, "the number "+text)
			}
			if !strings.ContainsAny(text, ".e") {
				text += ".0"
			}
			p = json.RawMessage(text)
		case string:
			if !utf8.ValidString(v) {
				return nil, dialect.Unsupported(name, s.SQL, "a text that is not UTF-8")
			}
		case []byte:
			numbers := make([]int, len(v))
			for i, b := range v {
				numbers[i] = int(b)
			}
			p = numbers
		}
		params = append(params, p)
	}
	return params, nil
}
