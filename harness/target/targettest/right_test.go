package targettest_test

import (
	"os"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/internal/fakedb"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// The targets of this project conform.
var _ = Describe("Of fakedb", func() { targettest.Register(&fakedb.Target{}) })

var _ = Describe("Of local", func() {
	dir := folder()
	targettest.Register(local.New(local.Options{Dir: dir}), targettest.Options{Dir: dir})
})

var _ = Describe("Of virtual", virtual.Bubble(), func() {
	dir := folder()
	targettest.Register(virtual.New(virtual.Options{Nodes: local.Options{Dir: dir}}), targettest.Options{Dir: dir})
})

var _ = Describe("Of process", func() {
	dir := folder()
	targettest.Register(process.New(programs(dir)), targettest.Options{Dir: dir})
})

var _ = Describe("Of hosts", func() {
	BeforeEach(func() {
		if err := hosts.Supported(); err != nil {
			Skip(err.Error())
		}
	})
	dir := folder()
	targettest.Register(process.OnHosts(programs(dir)), targettest.Options{Dir: dir})
})

func programs(dir string) process.Options {
	return process.Options{Binary: func() string { return binary }, Nodes: local.Options{Dir: dir}}
}

// folder makes a folder for the files of a target.
func folder() string {
	dir, err := os.MkdirTemp("", "targettest-")
	if err != nil {
		panic(err)
	}
	folders = append(folders, dir)
	return dir
}
