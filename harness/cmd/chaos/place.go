package main

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/internal/gocode"
)

// placeOf is targetOf as code, for a printed spec.
func placeOf(s settings, seed uint64) (chaos.Place, error) {
	options, err := gocode.Literal(nodes())
	if err != nil {
		return chaos.Place{}, err
	}
	limit, err := gocode.Literal(bubbleLimit)
	if err != nil {
		return chaos.Place{}, err
	}
	switch s.target {
	case inVirtualTime:
		return chaos.Place{
			Target:    fmt.Sprintf("virtual.New(virtual.Options{Nodes: %s})", options),
			Decorator: fmt.Sprintf("virtual.Bubble(virtual.RealLimit(%s), virtual.Seed(%d)%s)", limit, seed, interleaved(s)),
		}, nil
	case inProcesses, onHosts:
		constructor := map[string]string{inProcesses: "New", onHosts: "OnHosts"}[s.target]
		return chaos.Place{
			Target: fmt.Sprintf("process.%s(process.Options{Nodes: %s, Binary: func() string { return binary }})", constructor, options),
			Before: "binary, err := gexec.Build(process.Package)\nExpect(err).NotTo(HaveOccurred())\nDeferCleanup(gexec.CleanupBuildArtifacts)",
		}, nil
	}
	return chaos.Place{Target: fmt.Sprintf("local.New(%s)", options)}, nil
}

// interleaved are further options of a bubble, as code.
func interleaved(s settings) (code string) {
	if s.interleave != 0 {
		code += fmt.Sprintf(", virtual.Interleave(%d)", s.interleave)
	}
	if s.yield != 0 {
		code += fmt.Sprintf(", virtual.Yield(%v)", s.yield)
	}
	return code
}
