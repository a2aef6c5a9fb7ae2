package process_test

import (
	"encoding/json"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Nodes of several versions", func() {
	It("run the version that they were given while they were down", func(ctx SpecContext) {
		older, remove, err := process.BuildAs(ctx, "0.0.1")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(remove)
		o := options()
		o.Versions = []process.Version{{Name: "0.0.1", Binary: func() string { return older }}}
		cluster, err := process.New(o).Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		reported := func() string {
			GinkgoHelper()
			status, err := cluster.Nodes()[0].Status(ctx)
			Expect(err).NotTo(HaveOccurred())
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+status.Address+"/v1/api/healthcheck", nil)
			Expect(err).NotTo(HaveOccurred())
			request.Close = true
			response, err := http.DefaultClient.Do(request)
			Expect(err).NotTo(HaveOccurred())
			defer response.Body.Close()
			var health struct{ Version string }
			Expect(json.NewDecoder(response.Body).Decode(&health)).To(Succeed())
			return health.Version
		}
		upgrader, can := target.As[target.Upgrader](cluster)
		Expect(can).To(BeTrue())
		starter, can := target.As[target.Starter](cluster)
		Expect(can).To(BeTrue())
		Expect(upgrader.Versions()).To(Equal([]string{"0.0.1", embedded.Version}))
		Expect(upgrader.Version(0)).To(Equal(embedded.Version))
		Expect(reported()).To(Equal(embedded.Version))
		Expect(upgrader.SetVersion(ctx, 0, "0.0.1")).To(MatchError("set the version of node n0: it is running"))

		Expect(starter.Stop(ctx, 0)).To(Succeed())
		Expect(upgrader.SetVersion(ctx, 0, "9")).To(MatchError(
			ContainSubstring(`there is no version "9"; the versions are 0.0.1, ` + embedded.Version)))
		Expect(upgrader.SetVersion(ctx, 0, "0.0.1")).To(Succeed())
		Expect(upgrader.Version(0)).To(Equal("0.0.1"))
		Expect(starter.Start(ctx, 0)).To(Succeed())
		Expect(reported()).To(Equal("0.0.1"))
	}, patience)

	It("are not an ability of a target with one version", func(ctx SpecContext) {
		cluster, err := process.New(options()).Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Close)
		Expect(target.Can(cluster, target.Versions)).To(BeFalse())
	}, patience)
})
