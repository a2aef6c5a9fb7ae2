package check

import (
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// soleAdd is the one addition of a value that may have taken effect.
type soleAdd struct {
	event *journal.Event // nil if none took effect
	by    time.Time      // for an unknown outcome: when it had taken effect
}

// soleAdds returns the additions by value. An addition of unknown outcome that no read shows is left
// out. Of several candidates it takes the acknowledged one, or else the one that began first.
func soleAdds(steps []step) map[int64]soleAdd {
	shown := firstShown(steps)
	sole := make(map[int64]soleAdd)
	for _, s := range steps {
		if s.Reads() || s.was(journal.Failed) {
			continue
		}
		if _, is := sole[s.Value]; !is {
			sole[s.Value] = soleAdd{}
		}
		if s.Do == journal.Remove {
			continue
		}
		before := sole[s.Value].event
		switch {
		case s.was(journal.OK):
			sole[s.Value] = soleAdd{event: s.event}
		case before == nil && shown[s.Value] != nil:
			by := endOfWork
			if first := shown[s.Value]; !first.Op.Final {
				by = first.End()
			}
			sole[s.Value] = soleAdd{s.event, by}
		}
	}
	return sole
}

// firstShown returns, by value, the read that shows it and ends first, of those that must fit real
// time.
func firstShown(steps []step) map[int64]*journal.Event {
	return firstRead(steps, func(e *journal.Event) bool { return unobserved(e) == "" })
}

// firstOfAny is firstShown for all reads with a known result.
func firstOfAny(steps []step) map[int64]*journal.Event {
	return firstRead(steps, func(e *journal.Event) bool { return e.Op.Outcome == journal.OK && !e.Op.Unread })
}

func firstRead(steps []step, counts func(*journal.Event) bool) map[int64]*journal.Event {
	shown := make(map[int64]*journal.Event)
	for _, s := range steps {
		if !s.Reads() || !counts(s.event) {
			continue
		}
		for _, value := range s.Got {
			if first := shown[value]; first == nil || endsAfter(first, s.event) {
				shown[value] = s.event
			}
		}
	}
	return shown
}
