package chaos_test

import (
	"encoding/json"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/workload"
)

var _ = Describe("Links that deliver packets twice and late", func() {
	kind := nemesis.DisorderlyLink.Name

	It("bite on hosts, in a schedule that was printed, and a sound database stays sound", func(ctx SpecContext) {
		if err := hosts.Supported(); err != nil {
			Skip(err.Error())
		}
		nothingIsLeft()
		binary, remove, err := process.Build(ctx)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(remove)
		schedule := chaos.Schedule{
			Seed: 5, Nodes: 3, Workloads: []string{workload.Workloads("chaos")[0].Name()}, Clients: 2, Rate: 20, Length: 4 * time.Second,
		}
		for from := range 3 { // the leader sends over one of them, and receives over another
			disorder := fault.Fault{Kind: kind, Links: oneLink(from, (from+1)%3)}
			schedule.Faults = append(schedule.Faults, at(500*time.Millisecond, 3*time.Second, disorder))
		}
		Expect(scheduleIn(specOf(schedule))).To(Equal(schedule))
		text, err := json.Marshal(schedule)
		Expect(err).NotTo(HaveOccurred())
		var again chaos.Schedule
		Expect(json.Unmarshal(text, &again)).To(Succeed())

		over := process.OnHosts(process.Options{Binary: func() string { return binary }, Nodes: local.Options{Dir: GinkgoT().TempDir()}})
		outcome, err := chaos.Run(ctx, over, again, chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Failure).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(HaveKeyWithValue(kind, HaveField("Made", 3)))
		Expect(outcome.Faults[kind].Bit).To(BeNumerically(">=", 2), "%+v", outcome.Faults)
	}, patience)

	It("are drawn where links carry packets, and not elsewhere", func() {
		Expect(nemesis.Names(chaos.Virtual().Kinds)).NotTo(ContainElement(kind))
		drawn := 0
		for seed := range uint64(200) {
			for _, e := range chaos.Draw(seed, chaos.Space{Kinds: nemesis.All()}).Faults {
				if e.Kind == kind {
					drawn++
				}
			}
		}
		Expect(drawn).To(BeNumerically(">", 0))
	})
})
