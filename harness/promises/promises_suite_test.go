package promises_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestPromises(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Promises")
}
