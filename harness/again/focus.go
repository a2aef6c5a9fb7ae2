package again

// description is that of this module's suite, in suite_test.go.
const description = "Rejoin"

// Focus is the expression for Ginkgo's -focus that fits the spec of this module's suite
// with that full text alone.
func Focus(spec string) string { return focus(description, spec) }
