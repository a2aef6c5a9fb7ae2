package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"time"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/report/progress"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Hunt looks for failures of a target: it runs the schedule of one seed after another until one fails or
// its time is over. It shrinks what fails, and prints it as a timeline and as a spec, with the command that
// runs it again. Only Target is needed; Main is a hunt with nothing else.
type Hunt struct {
	Target target.Target
	// In runs body where the target's clusters live, such as in a bubble of virtual time with that
	// seed. Its error is a failure of the nodes. Default: body runs as it is, in real time.
	In func(ctx context.Context, seed uint64, body func(context.Context)) error
	// Space is what schedules are drawn from. Default: Real, or Virtual if In is set. Kinds of faults that the
	// target does not support are left out.
	Space Space
	// Options are how schedules are run. The default Judge is check.All.
	Options Options

	Seed uint64        // of the first schedule; default random. Each next one is greater by 1
	For  time.Duration // how long to look for failures, in real time, for one schedule at least; default a minute
	Once bool          // run the schedule of Seed alone, and do not shrink it

	Shrink     time.Duration // how long to shrink a failure, in real time; 0 does not shrink
	ShrinkRuns int           // how many runs that may take; default 300

	// Worker is a command that calls Serve with the same hunt: schedules run in its process, because a
	// node that panics ends its process. Default: schedules run in this process.
	Worker func() *exec.Cmd

	Name     string // of the target, in journals
	Journal  string // with Once, the file for the journal; none if empty
	Journals string // the folder for the journals of schedules that fail; none if empty
	// Again returns the commands that run the schedule of a seed again, whose journal is in that file,
	// or "" if it is in none. Default: what Main understands.
	Again func(seed uint64, journal string) string
	// Place returns where the printed spec runs. Default: a target that the reader fills in.
	Place func(seed uint64) (Place, error)

	// Report is called once, when a hunt other than Once ends, with what it has done and found. Its error fails the hunt.
	Report func(Report) error

	Out      io.Writer // for results; default os.Stdout
	Progress io.Writer // default os.Stderr
}

// defaultShrinkRuns is how many runs shrinking may take.
const defaultShrinkRuns = 300

// filled returns the hunt with the defaults in place of zeros.
func (h Hunt) filled() Hunt {
	if h.Options.Judge == nil {
		h.Options.Judge = check.All
	}
	for h.Seed == 0 {
		h.Seed = rand.Uint64N(1 << 32)
	}
	h.For = cmp.Or(h.For, time.Minute)
	h.ShrinkRuns = cmp.Or(h.ShrinkRuns, defaultShrinkRuns)
	if h.Again == nil {
		h.Again = func(seed uint64, _ string) string { return again(seed) }
	}
	if h.Place == nil {
		h.Place = func(uint64) (Place, error) { return Place{Target: "yourTarget"}, nil }
	}
	if h.Out == nil {
		h.Out = os.Stdout
	}
	if h.Progress == nil {
		h.Progress = os.Stderr
	}
	return h
}

// Run looks for failures, and tells whether it has found one. It blocks until then, or until its time is
// over or ctx ends, which is no error. The error is the reason why it could not look, such as a target that
// does not boot.
func (h Hunt) Run(ctx context.Context) (found bool, err error) {
	h = h.filled()
	w := h.newPlayer()
	defer func() { err = errors.Join(err, w.Close()) }()
	from, err := h.space(ctx, w)
	if err != nil {
		return false, err
	}
	if h.Once {
		return h.single(ctx, from, w)
	}
	fmt.Fprintf(h.Progress, "chaos: target %s, seeds from %d on, for %v\n", cmp.Or(h.Name, fmt.Sprintf("%T", h.Target)), h.Seed, h.For)
	said, err := progress.Open(os.LookupEnv)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, said.Close()) }()
	said.Begin(progress.Work{Unit: "schedules", For: h.For})
	sum, shown := newSummary(time.Now()), newDisplay(h.Progress, said)
	failed, err := h.search(ctx, from, w, sum, shown)
	shown.end(sum)
	if err != nil {
		return false, err
	}
	if failed != nil {
		said.Begin(progress.Work{Unit: "runs to shrink " + seedName(failed.Schedule.Seed), All: h.ShrinkRuns, For: h.Shrink})
		return true, h.explain(ctx, w, sum, failed, said)
	}
	fmt.Fprint(h.Out, sum.report())
	if err := h.tell(h.report(sum, nil)); err != nil {
		return false, err
	}
	if sum.Tally.OK == 0 {
		return false, errors.New("no operation succeeded, so nothing was shown")
	}
	return false, nil
}

// search runs one schedule after another, and returns the first that failed. The first schedule may take longer
// than For: without one, nothing is shown.
func (h Hunt) search(ctx context.Context, from Space, w player, sum *summary, shown *display) (*Outcome, error) {
	looking, cancel := context.WithTimeout(ctx, h.For)
	defer cancel()
	for seed := h.Seed; looking.Err() == nil; seed++ {
		until := looking
		if seed == h.Seed {
			until = ctx
		}
		shown.said.Start(1, seedName(seed))
		outcome, err := w.play(until, request{Schedule: Draw(seed, from)})
		switch {
		case until.Err() != nil && (outcome == nil || outcome.Failure == nil):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("seed %d: %w", seed, err)
		}
		sum.add(outcome)
		if outcome.Failure != nil {
			return outcome, nil
		}
		shown.show(sum, outcome)
	}
	return nil, nil
}

// single runs the schedule of the seed alone, and saves its journal.
func (h Hunt) single(ctx context.Context, from Space, w player) (found bool, err error) {
	outcome, err := w.play(ctx, request{Schedule: Draw(h.Seed, from), Keep: true})
	if err != nil {
		return false, fmt.Errorf("seed %d: %w", h.Seed, err)
	}
	if h.Journal != "" {
		if outcome, err = witnessed(ctx, w, outcome); err != nil {
			return false, err
		}
		if err := h.save(h.Journal, outcome); err != nil {
			return false, err
		}
	}
	if outcome.Failure != nil {
		fmt.Fprintf(h.Out, "FAILED seed %d: %s\n", h.Seed, outcome.Failure)
		return true, nil
	}
	fmt.Fprintf(h.Out, "seed %d passed: %d operations ok in %v of cluster time\n", h.Seed, outcome.Tally.OK, outcome.Passed)
	return false, nil
}

// explain shrinks what failed, and prints it.
func (h Hunt) explain(ctx context.Context, w player, sum *summary, failed *Outcome, said *progress.Teller) error {
	journal, err := h.keep(ctx, w, failed)
	if err != nil {
		return err
	}
	least := failed
	if h.Shrink > 0 {
		fmt.Fprintf(h.Progress, "chaos: seed %d fails (%s); shrinking it for up to %v and %d runs\n",
			failed.Schedule.Seed, failed.Failure.Broken, h.Shrink, h.ShrinkRuns)
		var cut bool
		if least, cut = h.shrink(ctx, failed, w, said); cut {
			fmt.Fprintf(h.Progress, "chaos: shrinking was cut off after %v, so another run of it may end elsewhere\n", h.Shrink)
		}
	}
	found, err := h.found(ctx, w, failed, least, journal)
	if err != nil {
		return err
	}
	return errors.Join(printFailure(h.Out, found), h.tell(h.report(sum, found)))
}

// shrink shrinks what failed, by ShrinkRuns runs at most. Each schedule is run once: where replay is exact
// that is its verdict, and elsewhere one that fails only by chance is not found again. It returns the
// smallest that failed in the same way, and whether time was over first.
func (h Hunt) shrink(ctx context.Context, failed *Outcome, w player, said *progress.Teller) (least *Outcome, cut bool) {
	shrinking, stop := context.WithCancel(ctx)
	defer stop()
	least = failed
	runs := 0
	Shrink(shrinking, failed.Schedule, h.Shrink, func(ctx context.Context, s Schedule) bool {
		if runs == h.ShrinkRuns {
			stop()
			return false
		}
		runs++
		outcome, err := w.play(ctx, request{Schedule: s})
		said.End(1, "", progress.Passed, 0)
		said.Say(fmt.Sprintf("%d of %d faults left", len(least.Schedule.Faults), len(failed.Schedule.Faults)))
		cut = cut || errors.Is(ctx.Err(), context.DeadlineExceeded)
		if err != nil || outcome.Failure == nil || outcome.Failure.Broken != failed.Failure.Broken {
			return false
		}
		least = outcome
		return true
	})
	return least, cut
}
