package embedded_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

var _ = Describe("A node that is closed", func() {
	It("returns ErrClosed from every operation, and can be closed concurrently", func(ctx SpecContext) {
		c := boot(3)
		n := c.nodes[c.leader(ctx)]
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				defer GinkgoRecover()
				Expect(n.Close()).To(Succeed())
			})
		}
		wg.Wait()
		facts := []string{"ID", "Address", "Handler", "Health"}
		value := reflect.ValueOf(n)
		for i := range value.NumMethod() {
			name, method := value.Type().Method(i).Name, value.Method(i)
			var in []reflect.Value
			for k := range method.Type().NumIn() {
				if t := method.Type().In(k); t == reflect.TypeFor[context.Context]() {
					in = append(in, reflect.ValueOf(ctx))
				} else {
					in = append(in, reflect.Zero(t))
				}
			}
			switch name {
			case "AddMember":
				in[1] = reflect.ValueOf(embedded.Member{ID: "n9", Address: "127.0.0.1:1"})
			case "RemoveMember":
				in[1] = reflect.ValueOf("n1")
			}
			begun := time.Now()
			out := method.Call(in)
			Expect(time.Since(begun)).To(BeNumerically("<", time.Second), name)
			err, fails := out[len(out)-1].Interface().(error)
			switch {
			case name == "Close" || name == "Stop":
				Expect(err).NotTo(HaveOccurred())
			case fails:
				Expect(err).To(MatchError(embedded.ErrClosed), name)
			default:
				Expect(facts).To(ContainElement(name), "what does it return of a closed node?")
			}
		}
		health := n.Health()
		Expect(health.State).To(Equal(embedded.Leaving))
		Expect(health.Role).To(Equal("shutdown"))
		Expect(health.Leader).To(BeEmpty())
		out := httptest.NewRecorder()
		n.Handler().ServeHTTP(out, httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/v1/api/cluster/health", nil))
		Expect(out.Code).To(Equal(http.StatusServiceUnavailable))
		Expect(out.Body.String()).To(ContainSubstring(embedded.CodeStopping))
	})
})
