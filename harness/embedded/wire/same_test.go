package wire_test

import (
	"math"
	"reflect"

	"github.com/onsi/gomega/gcustom"
	"github.com/onsi/gomega/types"
)

// same compares type and bits: -0.0 is not 0.0, and an empty blob is not nil.
func same(a, b any) bool {
	if x, ok := a.(float64); ok {
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	}
	return reflect.DeepEqual(a, b)
}

func beSame(expected any) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(actual any) (bool, error) {
		return same(actual, expected), nil
	}).WithTemplate("Expected\n{{.FormattedActual}}\n{{.To}} have the type and the bits of\n{{format .Data 1}}", expected)
}
