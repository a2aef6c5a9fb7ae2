package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/defects"
)

// unseen is what ordinary runs with one bug came to.
type unseen struct {
	defect defects.Defect
	runs   int // that ended
	specs  int // in each of them, or in the one with the fewest
	caught []verdict
	took   time.Duration // of all runs, one after the other
}

// add adds a run.
func (u *unseen) add(v verdict) {
	if u.runs == 0 || v.specs < u.specs {
		u.specs = v.specs
	}
	u.runs++
	u.took += v.took
	if v.caught() {
		u.caught = append(u.caught, v)
	}
}

func (u *unseen) String() string {
	line := fmt.Sprintf("%-40s %4d ordinary runs of %3d specs, %6.1f s: caught in %d", u.defect.Name, u.runs, u.specs, u.took.Seconds(), len(u.caught))
	if len(u.caught) > 0 {
		line += fmt.Sprintf("\n    with seed %d: %s\n    %s", u.caught[0].trial.seed, u.caught[0].best().spec, u.caught[0].best().said)
	}
	return line
}

// ordinary runs the suite with each bug that is between goroutines, in the ordinary order
// of goroutines and with one seed after the other, and returns how many bugs were caught.
// These are no longer of that kind.
func (s *suite) ordinary(ctx context.Context, chosen []defects.Defect, o options) (caught int, err error) {
	var all []*unseen
	for _, d := range chosen {
		if d.Between {
			all = append(all, &unseen{defect: d})
		}
	}
	if len(all) == 0 {
		return 0, errors.New("none of these bugs is between goroutines")
	}
	seats := make(chan struct{}, max(o.jobs, 1))
	var mu sync.Mutex
	var errs []error
	for _, u := range all {
		var runs sync.WaitGroup
		for i := range o.ordinary {
			seats <- struct{}{}
			runs.Go(func() {
				defer func() { <-seats }()
				if ctx.Err() != nil {
					return
				}
				v, err := s.run(ctx, o.ordinaryTrial(u.defect, i))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case ctx.Err() != nil:
				case err != nil:
					errs = append(errs, err)
				case v.of == 0 && !v.caught():
					errs = append(errs, fmt.Errorf("with %s no spec ran that is about it", u.defect.Name))
				default:
					u.add(v)
				}
			})
		}
		runs.Wait()
		if ctx.Err() != nil {
			return caught, errors.New("interrupted")
		}
		fmt.Println(u)
		if len(u.caught) > 0 {
			caught++
		}
	}
	return caught, errors.Join(errs...)
}

// ordinaryTrial is the i-th run with the bug: of the specs that are about it, or of all.
func (o options) ordinaryTrial(d defects.Defect, i int) trial {
	t := trial{defect: d, seed: o.seed + int64(i), labels: d.About, all: true, limit: cmp.Or(o.limit, limitOfAll)}
	if o.all {
		t.labels = ""
	}
	return t
}
