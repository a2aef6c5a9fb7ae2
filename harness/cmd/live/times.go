package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/rejoin-db/rejoin/harness/report/progress"
)

// timing is how long a part took, in seconds.
type timing float64

// times are how long parts took, by the name of their work.
type times map[string]map[string]timing

func nameOf(w progress.Work) string {
	if w.Name == "" {
		return w.Unit
	}
	return w.Name + ", " + w.Unit
}

// learn keeps how long the parts of a work took. If not all of it was done, earlier times of the other parts stay.
func (s *state) learn(w progress.Work, took map[string]timing, all bool) {
	name := nameOf(w)
	if !all {
		earlier := maps.Clone(s.last[name])
		if earlier == nil {
			earlier = make(map[string]timing)
		}
		maps.Copy(earlier, took)
		took = earlier
	}
	s.learned[name] = took
}

// left is how long the work still takes, in words, and whether that can be told.
func (s *state) left(now time.Time) (text string, known bool) {
	elapsed := now.Sub(s.begun)
	if s.work.For > 0 {
		return short(max(0, s.work.For-elapsed)) + " left", true
	}
	left, known := s.byLast(now, elapsed)
	if !known {
		left, known = s.byCount(elapsed)
	}
	return "about " + short(max(0, left)) + " left", known
}

// byLast estimates by the last run: what is left of its parts, at the speed of this run.
func (s *state) byLast(now time.Time, elapsed time.Duration) (left time.Duration, known bool) {
	last := s.last[nameOf(*s.work)]
	// A run of some specs does not say which: the last run tells nothing about it.
	const alike = 10 // a tenth may differ
	if differ := len(last) - s.work.All; s.work.All == 0 || differ > s.work.All/alike || -differ > s.work.All/alike {
		return 0, false
	}
	var all, done timing
	for text, took := range last {
		all += took
		if _, ended := s.took[text]; ended {
			done += took
		}
	}
	for _, p := range s.running {
		done += min(last[p.text], timing(now.Sub(p.since).Seconds()))
	}
	const enough = 0.03
	if all == 0 || done < enough*all {
		return 0, false
	}
	return time.Duration(float64(elapsed) * float64((all-done)/done)), true
}

// byCount estimates by the number of parts.
func (s *state) byCount(elapsed time.Duration) (left time.Duration, known bool) {
	const enough = 4
	if s.work.All == 0 || s.done < enough {
		return 0, false
	}
	return elapsed / time.Duration(s.done) * time.Duration(max(0, s.work.All-s.done)), true
}

// times is the path of the file with the times of the last run.
func (c command) times() string { return filepath.Join(c.dir, "reports", "times.json") }

// loadTimes loads the times of earlier runs. Without a file that can be read there are none: they are only for estimates.
func loadTimes(path string) times {
	t := make(times)
	if content, err := os.ReadFile(path); err == nil && json.Unmarshal(content, &t) != nil {
		t = make(times)
	}
	return t
}

// saveTimes saves what the run has taught, and what earlier ones had.
func saveTimes(path string, last times, s *state) error {
	s.over()
	if len(s.learned) == 0 {
		return nil
	}
	merged := maps.Clone(last)
	for name, took := range s.learned {
		merged[name] = took
	}
	content, err := json.Marshal(merged)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "times-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), path)
}
