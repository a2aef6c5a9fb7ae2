package again

import "regexp"

// description is the name of the suite in suite_test.go. Ginkgo matches -focus against it and the text of the spec.
const description = "Rejoin"

// Focus returns the expression for Ginkgo's -focus that matches only the spec with this full text.
func Focus(spec string) string { return "^" + regexp.QuoteMeta(description+" "+spec) + "$" }
