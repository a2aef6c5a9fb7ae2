// Package gocode prints values as Go code, for specs that a program prints.
package gocode

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Literal returns a value as a Go literal, with all exported fields that are not zero. Types are named as
// where their packages are imported. It prints booleans, numbers, text, durations, and slices, structs and
// pointers to structs of such; anything else is an error.
func Literal(v any) (string, error) { return literal{}.of(reflect.ValueOf(v), true) }

// NumberedLiteral is Literal, with integers that are 0: in "Node: 0" that is a node like any other.
func NumberedLiteral(v any) (string, error) {
	return literal{numbers: true}.of(reflect.ValueOf(v), true)
}

type literal struct{ numbers bool }

// of returns the value as code. named puts the type before a struct or a slice.
func (l literal) of(v reflect.Value, named bool) (string, error) {
	if d, is := v.Interface().(time.Duration); is {
		return Duration(d), nil
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.String:
		return strconv.Quote(v.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10), nil
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), nil
	case reflect.Slice:
		return l.slice(v, named)
	case reflect.Struct:
		return l.structure(v, named)
	case reflect.Pointer:
		if !v.IsNil() && v.Type().Elem().Kind() == reflect.Struct {
			code, err := l.structure(v.Elem(), true)
			return "&" + code, err
		}
	default: // the error below
	}
	return "", fmt.Errorf("a %s cannot be printed as a Go literal", v.Type())
}

func (l literal) slice(v reflect.Value, named bool) (string, error) {
	if v.IsNil() {
		return "nil", nil
	}
	var b strings.Builder
	if named {
		b.WriteString(v.Type().String())
	}
	b.WriteString("{")
	lines := v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem().NumField() > 2
	for i := range v.Len() {
		code, err := l.of(v.Index(i), false)
		if err != nil {
			return "", err
		}
		switch {
		case lines:
			b.WriteString("\n" + code + ",")
		case i > 0:
			b.WriteString(", " + code)
		default:
			b.WriteString(code)
		}
	}
	if lines && v.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String() + "}", nil
}

func (l literal) structure(v reflect.Value, named bool) (string, error) {
	var fields []string
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch {
		case v.Field(i).IsZero() && !(l.numbers && field.Type == reflect.TypeFor[int]()):
			continue
		case !field.IsExported():
			return "", fmt.Errorf("field %s of %s cannot be printed as a Go literal", field.Name, v.Type())
		}
		code, err := l.of(v.Field(i), true)
		if err != nil {
			return "", fmt.Errorf("field %s of %s: %w", field.Name, v.Type(), err)
		}
		fields = append(fields, field.Name+": "+code)
	}
	code := "{" + strings.Join(fields, ", ") + "}"
	if named {
		code = v.Type().String() + code
	}
	return code, nil
}

// Duration returns a duration as code, in the largest unit that divides it.
func Duration(d time.Duration) string {
	for _, unit := range []struct {
		is   time.Duration
		name string
	}{
		{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"},
		{time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"},
	} {
		if d != 0 && d%unit.is == 0 {
			return fmt.Sprintf("%d*time.%s", d/unit.is, unit.name)
		}
	}
	return strconv.FormatInt(int64(d), 10)
}
