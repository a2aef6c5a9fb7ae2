package target

import (
	"encoding/binary"
	"fmt"
	"math"
)

// AppendRow appends an encoding of a row, for Rows.Raw: rows are equal, value by value and bit by bit, if and only if their
// encodings are. A value of a type that a row may not have is encoded as its type and its Go syntax.
func AppendRow(out []byte, row []any) []byte {
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			out = append(out, 'n')
		case int64:
			out = binary.BigEndian.AppendUint64(append(out, 'i'), uint64(v))
		case float64:
			out = binary.BigEndian.AppendUint64(append(out, 'f'), math.Float64bits(v))
		case string:
			out = append(binary.AppendUvarint(append(out, 's'), uint64(len(v))), v...)
		case []byte:
			out = append(binary.AppendUvarint(append(out, 'b'), uint64(len(v))), v...)
		default:
			text := fmt.Sprintf("%T %#v", v, v)
			out = append(binary.AppendUvarint(append(out, '?'), uint64(len(text))), text...)
		}
	}
	return out
}
