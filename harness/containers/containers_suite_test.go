package containers_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/moby/moby/client"

	"github.com/rejoin-db/rejoin/harness/containers"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/httpsql"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
	"github.com/rejoin-db/rejoin/specs"
)

// image is the database of the specs, shipdb, in an image that the suite makes.
const image = "rejoin-shipdb:test"

// engine is the engine of the specs, for all of them.
var engine *client.Client

func TestContainers(t *testing.T) {
	var err error
	if engine, err = client.New(client.FromEnv); err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	SynchronizedBeforeSuite(func(ctx SpecContext) {
		if err := containers.Supported(ctx, engine); err != nil {
			Skip(err.Error())
		}
		makeImage(ctx)
	}, func() {}, NodeTimeout(5*time.Minute))
	suite := specs.Load(t)
	specs.Register(specs.Options{Target: shipdb(), Pace: specs.Pace{Election: 150 * time.Millisecond, Failover: 2 * time.Second}})
	suite.Run(t, "Containers")
}

// makeImage builds shipdb without shared libraries, and makes an image of that one file.
func makeImage(ctx context.Context) {
	binary := filepath.Join(GinkgoT().TempDir(), "shipdb")
	build := exec.CommandContext(ctx, "go", "build", "-C", "../..", "-tags", "osusergo,netgo,sqlite_omit_load_extension",
		"-ldflags", "-extldflags=-static", "-o", binary, "./harness/target/shipdb")
	said, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(said))
	program, err := os.ReadFile(binary)
	Expect(err).NotTo(HaveOccurred())
	var archive bytes.Buffer
	files := tar.NewWriter(&archive)
	for _, header := range []*tar.Header{
		{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, {Name: "data/", Typeflag: tar.TypeDir, Mode: 0o700},
		{Name: "shipdb", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(program))},
	} {
		Expect(files.WriteHeader(header)).To(Succeed())
	}
	Expect(files.Write(program)).Error().NotTo(HaveOccurred())
	Expect(files.Close()).To(Succeed())
	imported, err := engine.ImageImport(ctx, client.ImageImportSource{Source: &archive, SourceName: "-"}, image, client.ImageImportOptions{})
	Expect(err).NotTo(HaveOccurred())
	Expect(io.Copy(io.Discard, imported)).Error().NotTo(HaveOccurred())
	Expect(imported.Close()).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(engine.ImageRemove(ctx, image, client.ImageRemoveOptions{Force: true})).Error().NotTo(HaveOccurred())
	})
}

const port = 4100

// shipdb is the target of shipdb in containers.
func shipdb() *containers.Target {
	body := `{"statements": [{{range $i, $s := .Statements}}{{if $i}}, {{end}}{"sql": {{json $s.SQL}}, "args": {{json $s.Params}}}{{end}}]`
	api, err := httpsql.NewAPI(described.HTTP{
		Write:  described.Call{Path: "/exec", Body: body + "}"},
		Read:   &described.Call{Path: "/query", Body: body + `, "read": {{json .Level}}}`},
		Levels: map[string]string{"default": "leader", "strong": "leader"},
		Blob:   "blob", Real: "real",
		Answer: described.Answer{Results: "results", Columns: "columns", Types: "types", Rows: "rows", Affected: "affected"},
		Errors: described.Errors{Code: "error.code", Message: "error.message", Outcome: "error.applied", Rules: []described.Rule{
			{Code: "no_leader", Outcome: "not-applied", Kind: "no-leader", Temporary: true},
			{Code: "no_quorum", Outcome: "not-applied", Kind: "no-quorum", Temporary: true},
			{Code: "replaced", Outcome: "not-applied", Kind: "no-leader", Temporary: true},
			{Code: "constraint", Outcome: "not-applied", Kind: "constraint"},
			{Contains: "no such", Outcome: "not-applied", Kind: "no-such-table"},
			{Contains: "already", Outcome: "not-applied", Kind: "exists"},
			{Says: "no", Outcome: "not-applied"},
			{Outcome: "unknown", Temporary: true},
		}},
	})
	if err != nil {
		panic(err)
	}
	client := func(node *containers.Node) *httpsql.Client {
		return api.New(described.Node{Name: node.Name}, node.Address(), node.Dial)
	}
	peers := "{{range $i, $n := .Nodes}}{{if $i}},{{end}}{{$n}}={{$n}}:{{$.Port}}{{end}}"
	return containers.New(containers.Options{
		Name: "shipdb", Image: image, Port: port,
		Command: []string{"/shipdb", "-name", "{{.Name}}", "-listen", "0.0.0.0:{{.Port}}", "-dir", "/data", "-peers", peers},
		SQL: func(node *containers.Node) (target.SQL, error) {
			c := client(node)
			return struct {
				*sqldb.Batch
				io.Closer
			}{sqldb.NewBatch(sqldb.Options{Node: node.Name, Dialect: dialect.Prefixes{}}, c.Send, nil), c}, nil
		},
		Status: func(ctx context.Context, node *containers.Node) (status target.Status, err error) {
			c := client(node)
			defer c.Close()
			document, err := c.Call(ctx, described.Call{Path: "/status"})
			if err != nil {
				return status, err
			}
			said := document.(map[string]any)
			number := func(name string) uint64 { return uint64(said[name].(int64)) }
			status = target.Status{State: target.Online, Role: said["role"].(string), Leader: said["leader"].(string), Term: number("term"),
				CommitIndex: number("commit"), AppliedIndex: number("applied"), Voter: true, LastContact: -1}
			switch {
			case status.Leader == "":
				status.State = target.Connecting
			case status.AppliedIndex < status.CommitIndex:
				status.State = target.Syncing
			}
			return status, nil
		},
		Formed: func(ctx context.Context, nodes []*containers.Node) error {
			c := client(nodes[0])
			defer c.Close()
			poll := time.NewTicker(20 * time.Millisecond)
			defer poll.Stop()
			for { // until there is a leader
				_, err := one(ctx, c, target.Default, dialect.Prefixes{}.Setup()[0])
				if err == nil || ctx.Err() != nil {
					return err
				}
				<-poll.C
			}
		},
		Declares: []target.Assumption{target.Namespaces, target.ReadsAlone},
	})
}
