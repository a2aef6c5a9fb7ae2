package linkstate_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestLinkState(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Link state")
}
