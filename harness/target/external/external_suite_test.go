package external_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/external"
)

func TestExternal(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "External")
}

var _ = BeforeEach(func() {
	before := gleak.Goroutines()
	DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
})

// database is a server that answers every statement with no rows, and its status as a spec sets it.
type database struct {
	mu     sync.Mutex
	status map[string]any
	hold   chan struct{} // statements wait until it is closed; nil for no wait
	asked  chan struct{} // a statement has come
}

func (d *database) set(key string, value any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status[key] = value
}

func (d *database) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	hold, status := d.hold, d.status
	text, _ := json.Marshal(status)
	d.mu.Unlock()
	if r.URL.Path == "/status" {
		_, _ = w.Write(text)
		return
	}
	if hold != nil {
		d.asked <- struct{}{}
		select {
		case <-hold:
		case <-r.Context().Done():
			return
		}
	}
	_, _ = w.Write([]byte(`{"rows": [["seen"]], "columns": ["role"]}`))
}

// lab is a described target of three databases, whose commands write what they do into a file.
type lab struct {
	described.Target
	databases []*database
	notes     string
}

func newLab() *lab {
	GinkgoHelper()
	l := &lab{notes: filepath.Join(GinkgoT().TempDir(), "notes")}
	note := func(what string) string { return `sh -c 'echo "$0" >> ` + l.notes + `' "` + what + ` {{.Name}}"` }
	l.Target = described.Target{
		Declares: []string{"own-writes"},
		Commands: described.Commands{
			Reset: note("reset {{.Size}} {{.Index}}"), Stop: note("stop"), Start: note("start"), Kill: note("kill"), Pause: note("pause"),
			Resume: note("resume"), Cut: note("cut {{range .Others}}{{.Name}} {{end}}from"), Heal: note("heal"), Log: "echo {{.Host}} said this",
			Version: note("version {{.Version}}"), Versions: []string{"1", "2"},
		},
		HTTP:   &described.HTTP{Write: described.Call{Path: "/"}, Answer: described.Answer{Rows: "rows", Columns: "columns"}},
		Status: described.Status{Ask: []described.Ask{{Call: &described.Call{Path: "/status"}}}, Role: "{{.role}}"},
	}
	for _, name := range []string{"a", "b", "c"} {
		d := &database{status: map[string]any{"role": "follower"}, asked: make(chan struct{}, 1)}
		server := httptest.NewServer(d)
		DeferCleanup(server.Close)
		l.databases = append(l.databases, d)
		l.Nodes = append(l.Nodes, described.Node{Name: name, Address: strings.TrimPrefix(server.URL, "http://"), Host: "host-" + name})
	}
	return l
}

// boot boots the cluster of the lab, which is closed after the spec.
func (l *lab) boot(ctx context.Context) target.Cluster {
	GinkgoHelper()
	over, err := external.New("lab", l.Target)
	Expect(err).NotTo(HaveOccurred())
	c, err := over.Boot(ctx, len(l.Nodes))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c
}

// noted returns what the commands have done, and forgets it.
func (l *lab) noted() []string {
	GinkgoHelper()
	text, err := os.ReadFile(l.notes)
	if os.IsNotExist(err) {
		return nil
	}
	Expect(err).NotTo(HaveOccurred())
	Expect(os.Remove(l.notes)).To(Succeed())
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func as[A any](c target.Cluster) A {
	GinkgoHelper()
	ability, can := target.As[A](c)
	Expect(can).To(BeTrue())
	return ability
}
