package settings

import (
	"fmt"
	"time"
)

// constraints are pairs of settings: the first must be at least as long as the second.
var constraints = []struct {
	longer, shorter string
	of              func(Settings) (longer, shorter time.Duration)
}{
	{"suite.eventually-timeout", "suite.eventually-polling", func(s Settings) (time.Duration, time.Duration) {
		return s.Suite.EventuallyTimeout, s.Suite.EventuallyPolling
	}},
	{"suite.consistently-duration", "suite.consistently-polling", func(s Settings) (time.Duration, time.Duration) {
		return s.Suite.ConsistentlyDuration, s.Suite.ConsistentlyPolling
	}},
	// With a shorter write timeout, a node would answer 503 at every change of leader.
	{"cluster.write-timeout", "cluster.election-timeout", func(s Settings) (time.Duration, time.Duration) {
		return s.Cluster.WriteTimeout, s.Cluster.ElectionTimeout
	}},
}

func (l *loading) checkConstraints() {
	for _, pair := range constraints {
		longer, shorter := pair.of(l.settings)
		if longer >= shorter {
			continue
		}
		// At least one of the two was set: the defaults satisfy all constraints.
		source := l.sources[pair.longer]
		if source == "" {
			source = l.sources[pair.shorter]
		}
		l.problem(source, pair.longer,
			fmt.Sprintf("%s: %s is shorter than %s, which is %s (%s)",
				pair.longer, l.shown(pair.longer, longer), pair.shorter, showDuration(shorter), l.source(pair.shorter)),
			showDuration(shorter)+" or longer")
	}
}

// shown marks a default, which the reader would not find at the source of the message.
func (l *loading) shown(path string, value time.Duration) string {
	if l.sources[path] == "" {
		return "the default of " + showDuration(value)
	}
	return showDuration(value)
}

func (l *loading) source(path string) string {
	if source := l.sources[path]; source != "" {
		return source
	}
	return "default"
}
