package sqltext_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestSqltext(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "SQL text")
}
