package target_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

func ExampleAlarms() {
	alarms := target.Alarms{
		Words:    []string{"PANIC:", "Segmentation fault"},
		Storage:  []string{"could not fsync"},
		Expected: []string{"PANIC: test of the alarm"},
	}
	log := "LOG: ready\nPANIC: test of the alarm\n  PANIC: stuck spinlock\nFATAL: could not fsync file \"0001\"\n"
	fmt.Printf("%q\n", alarms.In(log))
	fmt.Printf("%q\n", alarms.WithDiskFaults().In(log))
	// Output:
	// ["PANIC: stuck spinlock" "FATAL: could not fsync file \"0001\""]
	// ["PANIC: stuck spinlock"]
}

// alarmer is a cluster with alarms of its own.
type alarmer struct{ target.Cluster }

func (alarmer) Alarms() target.Alarms { return target.Alarms{Words: []string{"oops"}} }

func TestAlarms(t *testing.T) {
	plain, err := (&fake.Target{}).Boot(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	const log = "panic: a\nfatal error: b\nWARNING: DATA RACE\noops"
	for _, c := range []struct {
		name   string
		alarms target.Alarms
		want   []string
	}{
		{"of a cluster without words of its own", target.AlarmsOf(plain), []string{"panic: a", "fatal error: b", "WARNING: DATA RACE"}},
		{"of a decorated cluster", target.AlarmsOf(around{alarmer{plain}}), []string{"oops"}},
		{"with expected ones", target.DefaultAlarms().WithExpected(": a", "RACE"), []string{"fatal error: b"}},
		{"of empty words", target.Alarms{Words: []string{""}}, nil},
		{"of none", target.Alarms{}, nil},
	} {
		if got := c.alarms.In(log); !slices.Equal(got, c.want) {
			t.Errorf("alarms %s: %q in place of %q", c.name, got, c.want)
		}
	}
	before := target.DefaultAlarms()
	_ = before.WithExpected("more")
	if len(before.Expected) > 0 {
		t.Error("WithExpected has changed its receiver")
	}
}

func BenchmarkAlarms(b *testing.B) {
	log := strings.Repeat("2026-11-29T23:00:00.000Z [INFO]  n0: entering follower state: follower=\"n0\" leader-address=\n", 10<<20/90)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		if len(target.DefaultAlarms().In(log)) > 0 {
			b.Fatal("there is no alarm")
		}
	}
}
