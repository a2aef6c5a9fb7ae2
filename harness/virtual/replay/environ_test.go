package replay

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The environment", func() {
	const overlay = "-overlay=/cache/1/overlay.json"
	t := Toolchain{
		Go: "/go/bin/go", Root: "/go", Exact: true, Overlay: "/cache/1/overlay.json",
		flags: "-configured", cache: cache{"/cache"},
	}

	It("has the variables of the toolchain and all others", func() {
		before := []string{"HOME=/home", "PATH=/bin:/usr/bin", "GOFLAGS="}
		Expect(t.Environ(before)).To(ConsistOf("HOME=/home", "PATH=/go/bin:/bin:/usr/bin",
			"GOFLAGS=-configured "+overlay, "GODEBUG=asyncpreemptoff=1", "GOROOT=/go", "GOTOOLCHAIN=local"))
		Expect(before).To(Equal([]string{"HOME=/home", "PATH=/bin:/usr/bin", "GOFLAGS="}))
	})

	It("does not change if it is applied twice", func() {
		once := t.Environ([]string{"PATH=/bin", "GOFLAGS=-v", "GODEBUG=madvdontneed=1"})
		Expect(t.Environ(once)).To(Equal(once))
	})

	DescribeTable("keeps other settings", func(name, before, after string) {
		Expect(t.Environ([]string{name + "=" + before})).To(ContainElement(name + "=" + after))
	},
		Entry(nil, "GOFLAGS", "-v -race", "-v -race "+overlay),
		Entry(nil, "GOFLAGS", "", "-configured "+overlay),
		Entry(nil, "GOFLAGS", `"-tags=a b"  -v`, `'-tags=a b' -v `+overlay),
		Entry(nil, "GOFLAGS", `"-tags=it's"`, `"-tags=it's" `+overlay),
		Entry(nil, "GOFLAGS", `'-tags=a`, `'-tags=a`), // the go command rejects it
		Entry(nil, "GOFLAGS", "-overlay=/cache/2/overlay.json -v", "-v "+overlay),
		Entry(nil, "GOFLAGS", "-overlayed=/cache/2/overlay.json", "-overlayed=/cache/2/overlay.json "+overlay),
		Entry(nil, "GODEBUG", "randseednop=0,gctrace=1", "randseednop=0,gctrace=1,asyncpreemptoff=1"),
		Entry(nil, "GODEBUG", "asyncpreemptoff=0,gctrace=1", "gctrace=1,asyncpreemptoff=1"),
		Entry(nil, "GODEBUG", "", "asyncpreemptoff=1"),
		Entry(nil, "PATH", "/go/bin:/bin", "/go/bin:/bin"),
		Entry(nil, "PATH", "", "/go/bin"),
	)

	It("uses the last value of a variable", func() {
		Expect(t.Environ([]string{"GOFLAGS=-a", "X=1", "GOFLAGS=-b"})).
			To(ContainElement("GOFLAGS=-b " + overlay))
		Expect(t.Environ([]string{"GOFLAGS=-a", "X=1", "GOFLAGS=-b"})).
			NotTo(ContainElement("GOFLAGS=-b"))
	})
})
