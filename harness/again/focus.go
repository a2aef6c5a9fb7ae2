package again

import "regexp"

// description is what suite_test.go calls the suite: Ginkgo's focus sees it before the
// text of each spec.
const description = "Rejoin"

// Focus is the expression for Ginkgo's -focus that fits the spec with that full text alone.
func Focus(spec string) string { return "^" + regexp.QuoteMeta(description+" "+spec) + "$" }
