package chaos_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// scheduleIn reads back the schedule of a printed spec, from its code alone.
func scheduleIn(spec string) (s chaos.Schedule) {
	GinkgoHelper()
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n\nvar _ = "+spec, 0)
	Expect(err).NotTo(HaveOccurred())
	var literal ast.Expr
	ast.Inspect(file, func(n ast.Node) bool {
		if assign, is := n.(*ast.AssignStmt); is && literal == nil && assign.Lhs[0].(*ast.Ident).Name == "schedule" {
			literal = assign.Rhs[0]
		}
		return true
	})
	evaluate(literal, reflect.ValueOf(&s).Elem())
	return s
}

// evaluate sets the value to what a literal says.
func evaluate(e ast.Expr, to reflect.Value) {
	GinkgoHelper()
	switch e := e.(type) {
	case *ast.CompositeLit:
		if to.Kind() == reflect.Slice {
			to.Set(reflect.MakeSlice(to.Type(), len(e.Elts), len(e.Elts)))
			for i, element := range e.Elts {
				evaluate(element, to.Index(i))
			}
			return
		}
		for _, element := range e.Elts {
			pair := element.(*ast.KeyValueExpr)
			evaluate(pair.Value, to.FieldByName(pair.Key.(*ast.Ident).Name))
		}
	case *ast.Ident:
		Expect(e.Name).To(Equal("nil"))
	case *ast.BasicLit:
		setBasic(e, 1, to)
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			to.Set(reflect.New(to.Type().Elem()))
			evaluate(e.X, to.Elem())
			return
		}
		Expect(e.Op).To(Equal(token.SUB))
		setBasic(e.X.(*ast.BasicLit), -1, to)
	case *ast.BinaryExpr:
		unit, is := map[string]time.Duration{"Hour": time.Hour, "Minute": time.Minute, "Second": time.Second,
			"Millisecond": time.Millisecond, "Microsecond": time.Microsecond}[e.Y.(*ast.SelectorExpr).Sel.Name]
		Expect(is).To(BeTrue())
		evaluate(e.X, to)
		to.SetInt(to.Int() * int64(unit))
	default:
		Fail(fmt.Sprintf("there is a %T in the literal", e))
	}
}

func setBasic(e *ast.BasicLit, sign int64, to reflect.Value) {
	GinkgoHelper()
	var err error
	switch to.Kind() {
	case reflect.String:
		var text string
		text, err = strconv.Unquote(e.Value)
		to.SetString(text)
	case reflect.Uint64:
		var n uint64
		n, err = strconv.ParseUint(e.Value, 10, 64)
		to.SetUint(n)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(e.Value, 64)
		to.SetFloat(f)
	default:
		var n int64
		n, err = strconv.ParseInt(e.Value, 10, 64)
		to.SetInt(sign * n)
	}
	Expect(err).NotTo(HaveOccurred())
}

var _ = Describe("A schedule as a literal", func() {
	It("is the schedule, for all seeds", func() {
		for _, space := range []chaos.Space{chaos.Virtual(), chaos.Real()} {
			for seed := range uint64(drawn) {
				s := chaos.Draw(seed, space)
				Expect(scheduleIn(specOf(s))).To(Equal(s))
			}
		}
	})

	It("has every field, each with a value of its own", func() {
		s := ofAllKinds()
		s.Most = 7
		values := reflect.ValueOf(s)
		for i := range values.NumField() {
			Expect(values.Field(i).IsZero()).To(BeFalse(), "%s is not tried", values.Type().Field(i).Name)
		}
		s.Faults[1].Fault = fault.Fault{Kind: "all of it", Node: 1, Links: oneLink(1, fault.Clients),
			Groups: [][]int{{0}, {1, 2}}, Rule: &fault.Rule{Loss: 0.5},
			Disk: &fault.Disk{Slow: time.Hour}, Part: fault.Log, By: time.Microsecond}
		for _, v := range []reflect.Value{reflect.ValueOf(s.Faults[1]), reflect.ValueOf(s.Faults[1].Fault)} {
			for i := range v.NumField() {
				Expect(v.Field(i).IsZero()).To(BeFalse(), "%s is not tried", v.Type().Field(i).Name)
			}
		}
		Expect(scheduleIn(specOf(s))).To(Equal(s))
	})

	It("is complete without faults", func() {
		s := chaos.Schedule{Nodes: 1, Workloads: []string{"set"}, Clients: 1, Length: time.Second}
		Expect(scheduleIn(specOf(s))).To(Equal(s))
		s.Faults = []chaos.Entry{}
		Expect(scheduleIn(specOf(s))).To(Equal(s))
	})

})
