package sqlite

// The format: https://sqlite.org/fileformat2.html#record_format

// varint decodes an integer of 1 to 9 bytes. It returns its length n, or 0 if b is too short.
func varint(b []byte) (value uint64, n int) {
	for n < len(b) {
		if n == 8 {
			return value<<8 | uint64(b[8]), 9
		}
		value = value<<7 | uint64(b[n]&0x7f)
		n++
		if b[n-1] < 0x80 {
			return value, n
		}
	}
	return 0, 0
}

// record decodes a row. Integers and text are returned; other and missing values are nil. It
// stops at the end of the payload.
func record(payload []byte) []any {
	size, n := varint(payload)
	if size < uint64(n) || size > uint64(len(payload)) {
		return nil
	}
	types, values := payload[n:size], payload[size:]
	var out []any
	for len(types) > 0 {
		t, n := varint(types)
		if n == 0 {
			return out
		}
		types = types[n:]
		length := uint64(0)
		switch {
		case t >= 12:
			length = (t - 12) / 2
		case t < 8:
			length = []uint64{0, 1, 2, 3, 4, 6, 8, 8}[t]
		}
		if length > uint64(len(values)) {
			return out
		}
		out = append(out, decode(t, values[:length]))
		values = values[length:]
	}
	return out
}

func decode(serialType uint64, value []byte) any {
	switch {
	case serialType == 8:
		return int64(0)
	case serialType == 9:
		return int64(1)
	case serialType >= 1 && serialType <= 6:
		n := int64(int8(value[0]))
		for _, b := range value[1:] {
			n = n<<8 | int64(b)
		}
		return n
	case serialType >= 13 && serialType%2 == 1:
		return string(value)
	}
	return nil
}
