package child

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/network"
)

// obedient records its orders.
type obedient struct {
	heard []Orders
	err   error
}

func (o *obedient) follow(orders Orders) error {
	o.heard = append(o.heard, orders)
	return o.err
}

func post(to *obedient, body string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, ordersPath, strings.NewReader(body))
	ordersHandler(to).ServeHTTP(recorder, request)
	return recorder
}

var _ = Describe("The control endpoint", func() {
	It("passes orders on", func() {
		var to obedient
		Expect(post(&to, `{"resets": [{"from": "n0", "to": "n1"}]}`).Code).To(Equal(http.StatusOK))
		Expect(to.heard).To(Equal([]Orders{{Resets: []network.Link{{From: "n0", To: "n1"}}}}))
	})

	DescribeTable("rejects invalid orders as a whole", func(body, message string) {
		var to obedient
		answer := post(&to, body)
		Expect(answer.Code).To(Equal(http.StatusBadRequest))
		Expect(answer.Body.String()).To(And(HavePrefix("read orders: "), ContainSubstring(message)))
		Expect(to.heard).To(BeEmpty())
	},
		Entry("empty", "", "it is empty"),
		Entry("no JSON", "cut it", "invalid character 'c'"),
		Entry("an unknown key", `{"link": []}`, `unknown field "link"`),
		Entry("too long", `{"hosts": [`+strings.Repeat(" ", maxDocument), "request body too large"),
		Entry("partly invalid", `{"ahead": 1, "disk": {"slow_ns": -1}}`, "disk slowdown -1ns: must not be negative"),
	)

	It("reports orders that could not be followed", func() {
		answer := post(&obedient{err: errors.New(`the network has no host "n9"`)}, "{}")
		Expect(answer.Code).To(Equal(http.StatusConflict))
		Expect(answer.Body.String()).To(Equal("follow orders: the network has no host \"n9\"\n"))
	})
})

// FuzzOrders checks that any input is rejected with a sentence and not followed, or followed.
func FuzzOrders(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", "[1]", `{"ahead": -5, "disk": {"torn": true}}`, `{"links": [{"from":"a","to":"b","rule":{"Mode":2}}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var to obedient
		answer := post(&to, body)
		switch {
		case answer.Code == http.StatusOK && len(to.heard) == 1 && to.heard[0].Validate() == nil:
		case answer.Code == http.StatusBadRequest && len(to.heard) == 0 && strings.HasPrefix(answer.Body.String(), "read orders: "):
		default:
			t.Fatalf("%d %s, heard %v", answer.Code, answer.Body, to.heard)
		}
	})
}
