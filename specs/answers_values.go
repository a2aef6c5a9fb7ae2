package specs

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// answersValues are specs about extreme values, and rows at the boundaries of chunks.
func answersValues(env *environment) {
	Describe("A value in an answer", Label("suite:answers-values", "needs:sqlite"), func() {
		BeforeEach(func(SpecContext) { env.assumes(target.SQLite) })

		It("keeps every bit, on every node and at every consistency", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.v (id INTEGER PRIMARY KEY, v)")
			values := []any{
				nil, int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), int64(math.MinInt64 + 1), int64(1<<53 + 1), int64(-1<<53 - 1),
				0.0, math.Copysign(0, -1), 1.0, -1.0, 0.1, -0.1, 1.0 / 3, 1e15, 1e16, 1e21, 1e22, 1e-6, 1e-7, 123456789012345.6, 9007199254740993.0,
				math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64,
				2.2250738585072009e-308,
				"", "x", "a\x00b", "\x00", "\xff\xfe", "cut \xe6\x9e", "\xed\xa0\x80", "\xc0\x80", string(allBytes()), "\u2028\u2029\ufeff\ufffd " +
					"林 👩‍👧", `"\/` + "\b\f\n\r\t\x1f\x7f",
				"null", "9e999", `{"base64":"AA=="}`, `{"text_base64":"AA=="}`, " 1 ", "1.0",
				[]byte{}, []byte{0}, []byte("text"), []byte("\xff\xfe"), allBytes(),
			}
			values = append(values, manyValues()...)
			var want []string
			for _, value := range values {
				want = append(want, exactValue(value))
			}
			params, places := []any{}, []string{}
			for i, value := range values {
				params, places = append(params, i, value), append(places, "(?, ?)")
			}
			for _, node := range env.cluster.Nodes() {
				stored := env.runOn(ctx, node, "DELETE FROM {ns}.v; INSERT INTO {ns}.v VALUES "+strings.Join(places, ", ")+" RETURNING v", params...)
				Expect(strings.Split(exactly(stored)[1], "\n")).To(Equal(want), "stored by %s", node)
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				for _, at := range env.asked() {
					Expect(strings.Split(exactly(env.runOn(ctx, at, "SELECT v FROM {ns}.v ORDER BY id"))[0], "\n")).To(
						Equal(want), "stored by %s, read by %s", node, at)
				}
			}
			var asked []string
			for range values {
				asked = append(asked, "?")
			}
			for _, at := range env.asked() {
				Expect(exactly(env.runOn(ctx, at, "SELECT "+strings.Join(asked, ", "), values...))).To(
					Equal([]string{strings.Join(want, ", ")}), "sent to %s", at)
				Expect(env.runOn(ctx, at, "SELECT ?, 9e999 - 9e999", math.NaN())).To(HaveRows(Row(nil, nil)), "NaN is NULL")
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.v ORDER BY id")))
		}, env.patience)

		It("is complete beyond a mebibyte", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.v (id INTEGER PRIMARY KEY, v)")
			const size = 1<<20 + 1
			const text, bytes = `"long" \ ` + "林\n", "\x00\xff\x10"
			long := []any{strings.Repeat(text, size/len(text)+1), []byte(strings.Repeat(bytes, size/len(bytes)+1))}
			var want []string
			for i, value := range long {
				node := env.cluster.Nodes()[i%env.cluster.Size()]
				Expect(exactly(env.repeatable(ctx, node, "REPLACE INTO {ns}.v VALUES (?, ?) RETURNING v", i, value))).To(
					Equal([]string{exactValue(value)}))
				want = append(want, exactValue(value))
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, node := range env.cluster.Nodes() {
				Expect(exactly(env.runOn(ctx, node.Reading(target.Local), "SELECT v FROM {ns}.v ORDER BY id"))).To(
					Equal([]string{strings.Join(want, "\n")}))
			}
		}, env.patience)

		It("is complete wherever a row ends within a chunk of the answer", func(ctx SpecContext) {
			// Rows of 64 bytes follow one that is one byte longer each time, so that a row ends at
			// every offset of a chunk, and an escape sequence is split at every position.
			const rows = 1200
			row := `x"\` + "\n林" + strings.Repeat("y", 64-len(`["x\"\\`+`\n林"],`))
			env.run(ctx, "CREATE TABLE {ns}.r (v TEXT)")
			env.run(ctx, "INSERT INTO {ns}.r WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT ? FROM n", rows, row)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			nodes := env.cluster.Nodes()
			for shift := range 64 {
				at := nodes[shift%len(nodes)].Reading(target.Local)
				answer := env.runOn(ctx, at, "SELECT printf('%.*c', ?, 'z') UNION ALL SELECT v FROM {ns}.r", shift+1).Rows()
				Expect(answer).To(HaveLen(rows+1), "by %s, after a row of %d bytes", at, shift+1)
				Expect(answer[0]).To(Equal(Row(strings.Repeat("z", shift+1))))
				for i, found := range answer[1:] {
					if found[0] != row {
						Expect(found).To(Equal(Row(row)), "row %d by %s, after a row of %d bytes", i+1, at, shift+1)
					}
				}
			}

			By("forwarding answers to changes that are about as long as a chunk")
			for _, node := range nodes {
				for _, size := range []int{4000, 4095, 4096, 4097, 32<<10 - 70, 32 << 10, 64<<10 - 140, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200_000} {
					text := strings.Repeat("z", size)
					answer := env.repeatable(ctx, node, "UPDATE {ns}.r SET v = v WHERE rowid < 3 RETURNING printf('%.*c', ?, 'z') AS v", size)
					Expect(exactly(answer)).To(Equal([]string{exactValue(text) + "\n" + exactValue(text)}))
				}
			}
		}, env.patience)

		It("is refused in a request above the size limit", func(ctx SpecContext) {
			const most = 16 << 20 // bytes, as ginkgo.yml has it
			text := strings.Repeat("x", most)
			at := env.node(0).Reading(target.Local)
			Expect(env.runOn(ctx, at, "SELECT length(?)", text[:most*5/8])).To(HaveRows(Row(most * 5 / 8)))
			_, err := at.Execute(ctx, "SELECT length(?)", text)
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), "%v", err)
		}, env.patience)
	})
}

// repeatable runs a request that may be applied twice, on one node. On a real clock it may have
// to be sent again, and a long answer is not kept for a repeated request.
func (env *environment) repeatable(ctx context.Context, node *harness.Node, sql string, args ...any) (result harness.Result) {
	GinkgoHelper()
	if env.cluster.Can(target.Time) {
		return env.runOn(ctx, node, sql, args...)
	}
	env.eventually(ctx, func(ctx context.Context) (err error) {
		result, err = node.Execute(ctx, env.sql(sql), args...)
		return err
	}).Should(Succeed())
	return result
}

// manyValues are numbers of every length, and texts with a quote, an escape or a multi-byte
// letter at each of many positions.
func manyValues() (values []any) {
	power, bits := int64(1), uint64(1)
	for range 18 {
		power *= 10
		values = append(values, power, power-1, -power, float64(power)*1.1, 1/float64(power), float64(power-1)/1e7)
	}
	for range 64 { // bits of all kinds
		bits = bits*6364136223846793005 + 1442695040888963407
		if f := math.Float64frombits(bits); !math.IsNaN(f) {
			values = append(values, f, float64(bits>>11)/1e16, -float64(bits>>20)/1e5, 8+float64(bits>>11)/(1<<52))
		}
	}
	for i := range 20 {
		rest := strings.Repeat("b", 20-i)
		for _, special := range []string{`"`, `\`, "\n", "é", "林", "\xff", "\x00"} {
			values = append(values, strings.Repeat("a", i)+special+rest)
		}
	}
	return values
}

// exactValue is a value as text. Different values have different texts; long ones are hashed.
func exactValue(value any) string {
	const most = 300
	switch v := value.(type) {
	case nil:
		return "NULL"
	case int64:
		return fmt.Sprintf("integer %d", v)
	case float64:
		return fmt.Sprintf("float %v %016x", v, math.Float64bits(v))
	case string:
		if len(v) > most {
			return fmt.Sprintf("text of %d bytes %x", len(v), sha256.Sum256([]byte(v)))
		}
		return fmt.Sprintf("text %q", v)
	case []byte:
		if len(v) > most {
			return fmt.Sprintf("blob of %d bytes %x", len(v), sha256.Sum256(v))
		}
		return fmt.Sprintf("blob %x", v)
	}
	return fmt.Sprintf("%T %v", value, value)
}
