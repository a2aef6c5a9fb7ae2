package specs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/report/junit"
)

// reportJUnit writes the file that suite.junit-report names.
func (s *Suite) reportJUnit(report Report) {
	root, err := checkout()
	Expect(err).NotTo(HaveOccurred())
	cluster := s.Settings.Cluster
	about := map[string]string{"target": cluster.Target, "nodes": strconv.Itoa(cluster.Nodes)}
	path := s.Settings.Suite.JUnitReport
	Expect(os.MkdirAll(filepath.Dir(path), 0o777)).To(Succeed())
	file, err := os.Create(path)
	Expect(err).NotTo(HaveOccurred())
	err = junit.Write(file, []types.Report{report}, junit.Options{Root: root, Properties: about, Attachments: junit.Files()})
	Expect(errors.Join(err, file.Close())).To(Succeed())
}

// checkout is the nearest folder above the suite with a repository or, without one, the suite's own: viewers of reports want
// paths relative to it.
func checkout() (string, error) {
	own, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := own; ; dir = filepath.Dir(dir) {
		switch _, err := os.Stat(filepath.Join(dir, ".git")); {
		case err == nil:
			return dir, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		case dir == filepath.Dir(dir):
			return own, nil
		}
	}
}
