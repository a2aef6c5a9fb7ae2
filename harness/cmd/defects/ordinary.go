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

// unseen is the result of ordinary runs with one bug.
type unseen struct {
	defect defects.Defect
	runs   int // completed runs
	specs  int // specs per run, at least
	caught []verdict
	took   time.Duration // sum over all runs
}

// add adds the result of a run.
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
	line := fmt.Sprintf("%-40s %4d ordinary runs of %3d specs, %6.1f s: caught in %d",
		u.defect.Name, u.runs, u.specs, u.took.Seconds(), len(u.caught))
	if len(u.caught) > 0 {
		first := u.caught[0]
		line += fmt.Sprintf("\n    with seed %d: %s\n    %s", first.trial.seed, first.best().spec, first.best().said)
	}
	return line
}

// ordinary runs the suite with each race between goroutines, without interleaving and with consecutive seeds. It
// returns how many bugs were caught: those must not be marked as races.
func (s *suite) ordinary(ctx context.Context, chosen []defects.Defect, o options) (caught int, err error) {
	var all []*unseen
	for _, d := range chosen {
		if d.Between {
			all = append(all, &unseen{defect: d})
		}
	}
	if len(all) == 0 {
		return 0, errors.New("none of these bugs is a race between goroutines")
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
					errs = append(errs, fmt.Errorf("with %s no spec about it ran", u.defect.Name))
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

// ordinaryTrial returns the i-th run with the bug: of the specs about it, or of all.
func (o options) ordinaryTrial(d defects.Defect, i int) trial {
	t := trial{defect: d, seed: o.seed + int64(i), labels: d.About, all: true, limit: cmp.Or(o.limit, limitOfAll)}
	if o.all {
		t.labels = ""
	}
	return t
}
