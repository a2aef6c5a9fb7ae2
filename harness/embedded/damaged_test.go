package embedded

import (
	"net/http"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

var _ = Describe("A node whose database is damaged", func() {
	It("serves no damaged page, and fails as soon as a read finds one", func() {
		n := alone(GinkgoTB())
		body := []byte(`{"sql":"CREATE TABLE t (v); INSERT INTO t VALUES ('right'); CREATE TABLE other (v)"}`)
		Expect(post(n, body).Code).To(Equal(http.StatusOK))
		file, err := machine.Damage(filepath.Join(n.config.Dir, "state"))
		Expect(err).NotTo(HaveOccurred())
		Expect(post(n, []byte(`{"sql":"INSERT INTO other VALUES (1)"}`)).Code).To(Equal(http.StatusOK))
		Expect(post(n, []byte(`{"sql":"SELECT * FROM other"}`)).Code).To(Equal(http.StatusOK))
		Expect(n.Health().State).NotTo(Equal(Failed))

		read := post(n, []byte(`{"sql":"SELECT * FROM t"}`))
		Expect(read.Code).To(Equal(http.StatusServiceUnavailable))
		Expect(read.Header().Get(headerCode)).To(Equal(CodeFailed))
		Expect(n.Health()).To(And(HaveField("State", Failed), HaveField("Reason", ContainSubstring(file+": page "))))
	})
})
