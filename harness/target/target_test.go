package target_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

func TestKinds(t *testing.T) {
	seen := make(map[string]bool)
	for _, kind := range target.Kinds() {
		err := fmt.Errorf("outer: %w", &target.Error{Kind: fmt.Errorf("inner: %w", kind), Cause: context.Canceled})
		if !errors.Is(err, kind) || target.KindOf(err) != kind || !errors.Is(err, context.Canceled) {
			t.Errorf("%v is taken for %v", kind, target.KindOf(err))
		}
		for _, other := range target.Kinds() {
			if other != kind && errors.Is(err, other) {
				t.Errorf("%v is also %v", kind, other)
			}
		}
		if seen[kind.Error()] {
			t.Errorf("two kinds say %q", kind)
		}
		seen[kind.Error()] = true
	}
	if err := (&target.Error{}); target.KindOf(err) != nil || errors.Is(err, target.ErrFailed) {
		t.Error("an error without a kind is of one")
	}
}

// declarer is a cluster that declares one assumption.
type declarer struct{ target.Cluster }

func (declarer) Declares() []target.Assumption { return []target.Assumption{target.Streams} }

// around decorates a cluster with nothing.
type around struct{ target.Cluster }

func (a around) Unwrap() target.Cluster { return a.Cluster }

func TestHolds(t *testing.T) {
	plain, err := (&fake.Target{}).Boot(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range target.Assumptions() {
		if target.Holds(plain, a) {
			t.Errorf("a cluster that declares nothing declares %q", a)
		}
		if target.Holds(around{declarer{plain}}, a) != (a == target.Streams) {
			t.Errorf("a decorated cluster declares otherwise: %q", a)
		}
	}
}

func TestAssumptionsAreSentences(t *testing.T) {
	seen := make(map[target.Assumption]bool)
	for _, a := range target.Assumptions() {
		if seen[a] || len(a) < 30 || strings.HasSuffix(string(a), ".") {
			t.Errorf("%q: want one sentence without a full stop, once", a)
		}
		seen[a] = true
	}
}

func TestAppendRow(t *testing.T) {
	type other struct{ a, b any }
	rows := [][]any{
		{}, {nil}, {nil, nil}, {int64(1)}, {1.0}, {"1"}, {[]byte("1")}, {""}, {[]byte{}}, {"a", "b"}, {"ab"}, {"", "ab"}, {"n"},
		{int64(-1)}, {math.Copysign(0, -1)}, {0.0}, {true}, {"bool true"}, {other{1, "2"}}, {other{"1", 2}}, {1},
	}
	seen := make(map[string]int)
	for i, row := range rows {
		encoding := string(target.AppendRow(nil, row))
		if j, is := seen[encoding]; is {
			t.Errorf("the rows %#v and %#v have the same encoding", rows[j], row)
		}
		seen[encoding] = i
		if again := string(target.AppendRow([]byte("before"), row)); again != "before"+encoding {
			t.Errorf("%#v is encoded as %q, and as %q after other bytes", row, encoding, again)
		}
	}
}
