package sqldb

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// timeFormat is how a time is written, in UTC.
const timeFormat = "2006-01-02 15:04:05.999999999"

// Exact is the value of a driver as nil, int64, float64, string or []byte: see the package documentation for the rules.
// A type that is not in them is an error.
func Exact(column target.Column, v any) (any, error) {
	switch v := v.(type) {
	case nil, int64, float64:
		return v, nil
	case string:
		return textOf(column, v), nil
	case []byte:
		if IsText(column.Type) {
			return textOf(column, string(v)), nil
		}
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		return v.UTC().Format(timeFormat), nil
	case int:
		return int64(v), nil
	case int8:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case uint8:
		return int64(v), nil
	case uint16:
		return int64(v), nil
	case uint32:
		return int64(v), nil
	case uint64:
		if v > math.MaxInt64 {
			return strconv.FormatUint(v, 10), nil
		}
		return int64(v), nil
	case float32:
		return float64(v), nil
	}
	return nil, fmt.Errorf("the driver has a value of type %T in the column %s of type %q", v, column.Name, column.Type)
}

// textOf is a text, or the integer that it is in a column of a number with fixed places: databases have such sums.
func textOf(column target.Column, v string) any {
	if name := strings.ToUpper(column.Type); strings.HasPrefix(name, "NUMERIC") || strings.HasPrefix(name, "DECIMAL") {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && strconv.FormatInt(n, 10) == v {
			return n
		}
	}
	return v
}

// textTypes are the beginnings of types whose values are text, where a driver has bytes for them.
var textTypes = []string{
	"CHAR", "VARCHAR", "BPCHAR", "NCHAR", "NVARCHAR", "TEXT", "TINYTEXT", "MEDIUMTEXT", "LONGTEXT", "CLOB", "NAME", "ENUM", "SET", "JSON",
	"DECIMAL", "NUMERIC", "UUID", "DATE", "TIME", "YEAR",
}

// IsText tells whether values of a type are text, by its name in the database.
func IsText(name string) bool {
	name = strings.ToUpper(name)
	for _, text := range textTypes {
		if strings.HasPrefix(name, text) {
			return true
		}
	}
	return false
}

// checkParams returns an error for parameters of other types than a request may have.
func checkParams(params []any) error {
	for i, p := range params {
		switch p.(type) {
		case nil, int64, float64, string, []byte:
		default:
			return &target.Error{Code: "PARAMETERS", Kind: target.ErrParams, Outcome: target.NotApplied,
				Message: fmt.Sprintf("parameter %d is a %T: a parameter is nil, an int64, float64, string or []byte", i+1, p)}
		}
	}
	return nil
}
