package specs

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// statusOf is what a node shows of itself; it can be asked.
func statusOf(ctx context.Context, node *harness.Node) target.Status {
	GinkgoHelper()
	status, err := node.Status(ctx)
	Expect(err).NotTo(HaveOccurred())
	return status
}

// codeOf is the code of a node's error.
func codeOf(err error) string {
	var said *target.Error
	if !errors.As(err, &said) {
		return ""
	}
	return said.Code
}
