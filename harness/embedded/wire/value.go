package wire

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendValue appends the JSON of one value to dst. It returns an error, and dst unchanged, only
// for an unsupported Go type.
func AppendValue(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		return appendFloat(dst, v), nil
	case string:
		return appendText(dst, v), nil
	case []byte:
		return appendTagged(dst, "base64", v), nil
	default:
		return dst, fmt.Errorf("the Go type %T is none of nil, int64, float64, string and []byte", v)
	}
}

// AppendRow appends the values as a JSON array to dst. If a value cannot be encoded, the error
// contains its number, counted from 1, and dst is returned unchanged.
func AppendRow(dst []byte, values []any) ([]byte, error) {
	row := append(dst, '[')
	var err error
	for i, v := range values {
		if i > 0 {
			row = append(row, ',')
		}
		if row, err = AppendValue(row, v); err != nil {
			return dst, fmt.Errorf("value %d: %w", i+1, err)
		}
	}
	return append(row, ']'), nil
}

// appendFloat appends the shortest notation that is decoded to the same float. It always has a
// point or an exponent, without which it would be decoded as an integer.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "null"...)
	case math.IsInf(f, 1):
		return append(dst, "9e999"...)
	case math.IsInf(f, -1):
		return append(dst, "-9e999"...)
	}
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

// appendText appends a string, or an object with its bytes in base64 if it is not valid UTF-8.
func appendText(dst []byte, s string) []byte {
	if out, err := jsontext.AppendQuote(dst, s); err == nil {
		return out
	}
	return appendTagged(dst, "text_base64", s)
}

func appendTagged[B []byte | string](dst []byte, tag string, content B) []byte {
	dst = append(dst, `{"`...)
	dst = append(dst, tag...)
	dst = append(dst, `":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, []byte(content))
	return append(dst, `"}`...)
}
