package main

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestDefects(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Command defects")
}
