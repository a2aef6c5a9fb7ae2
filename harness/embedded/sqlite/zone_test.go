package sqlite_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// zoneChild is set for the child processes of the specs below.
const zoneChild = "REJOIN_TEST_ZONE_CHILD"

// zoneCases returns pairs of expressions: with time zone modifiers, and without.
func zoneCases() [][2]string {
	var cases [][2]string
	for _, call := range []string{"date(%s)", "time(%s)", "datetime(%s, 'subsec')", "julianday(%s)", "unixepoch(%s)",
		"strftime('%%F %%T %%s %%J %%j %%W', %s)"} {
		for _, when := range []string{
			"'2024-07-01 12:34:56.789'", "'2024-01-01'", "'1950-06-01 00:30'", "'2040-02-29 23:59:59'", "'9999-12-31 11:00'", "'0001-01-01 13:00'",
			"'2024-03-10 02:30'", "'2024-03-31 01:30'", "'2024-11-03 01:30'", "'2024-07-01T12:00+05:30'", "1700000000, 'unixepoch'",
			"2460000.25", "'now'",
		} {
			for _, zone := range []string{"'localtime'", "'utc'", "'LocalTime'", "'localtime', 'utc'", "'utc', 'localtime'",
				"'localtime', 'localtime'"} {
				cases = append(cases, [2]string{fmt.Sprintf(call, when+", "+zone), fmt.Sprintf(call, when)})
			}
		}
	}
	return cases
}

// zoneAnswers evaluates all cases and a column default on a writer and a reader.
func zoneAnswers(dir string) (string, error) {
	path := filepath.Join(dir, "zone.db")
	writer, err := sqlite.Open(path, sqlite.Writer)
	if err != nil {
		return "", err
	}
	defer writer.Close()
	writer.SetNow(time.Date(2024, time.July, 1, 12, 0, 0, 0, time.UTC))
	if err := writer.Trusted("CREATE TABLE t (id, at DEFAULT (datetime(1700000000, 'unixepoch', 'localtime'))); " +
		"INSERT INTO t (id) VALUES (1)"); err != nil {
		return "", err
	}
	reader, err := sqlite.Open(path, sqlite.Reader)
	if err != nil {
		return "", err
	}
	defer reader.Close()
	reader.SetNow(time.Date(2024, time.January, 1, 12, 0, 0, 0, time.UTC))
	var out strings.Builder
	for _, c := range []*sqlite.Conn{writer, reader} {
		at, err := c.Lookup("SELECT at FROM t")
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "a default: %v, 2023-11-14 22:13:20\n", at)
		for _, pair := range zoneCases() {
			rows, err := ask(c, "SELECT "+pair[0]+", "+pair[1])
			if err != nil {
				return "", fmt.Errorf("%s: %w", pair[0], err)
			}
			fmt.Fprintf(&out, "%s: %v, %v\n", pair[0], rows[0][0], rows[0][1])
		}
	}
	return out.String(), nil
}

// TestZoneOfChild runs in the child process of the specs below.
func TestZoneOfChild(t *testing.T) {
	if os.Getenv(zoneChild) == "" {
		t.Skip("only for child processes")
	}
	answers, err := zoneAnswers(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv(zoneChild), []byte(answers), 0o600); err != nil {
		t.Fatal(err)
	}
}

var _ = Describe("The time zone", func() {
	DescribeTable("is UTC in every time zone of the process", func(ctx SpecContext, zone string) {
		answers := filepath.Join(GinkgoT().TempDir(), "answers")
		child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestZoneOfChild$")
		child.Env = append(os.Environ(), "TZ="+zone, zoneChild+"="+answers)
		output, err := child.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(output))
		content, err := os.ReadFile(answers)
		Expect(err).NotTo(HaveOccurred())
		lines := strings.Split(strings.TrimSpace(string(content)), "\n")
		Expect(lines).To(HaveLen(2 * (1 + len(zoneCases()))))
		for _, line := range lines {
			expression, values, _ := strings.Cut(line, ": ")
			with, without, _ := strings.Cut(values, ", ")
			Expect(with).To(Equal(without), expression)
			Expect(with).NotTo(Equal("<nil>"), expression)
		}
	},
		Entry("UTC", "UTC0"),
		Entry("west, with daylight saving time", "EST5EDT,M3.2.0,M11.1.0"),
		Entry("east, southern hemisphere, with quarter hours", "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45"),
		Entry("a zone from the system's files", "Asia/Kolkata"),
		Entry("the westernmost", "<-12>12"),
		Entry("empty", ""),
	)

	It("is still refused in deterministic expressions", func() {
		c := open(newFile(), sqlite.Writer)
		Expect(c.Trusted("CREATE TABLE t (v CHECK (date(v, 'localtime') > '2000-01-01'))")).To(Succeed())
		_, err := ask(c, "INSERT INTO t VALUES ('2024-01-01')")
		Expect(err).To(MatchError(ContainSubstring("non-deterministic use of date()")))
	})
})
