package raftfix

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestRaftfix(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Raftfix")
}
