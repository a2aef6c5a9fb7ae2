package target_test

import (
	"context"
	"errors"
	"fmt"
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
