package settings

import (
	"errors"
	"fmt"
	"os"
)

// Load reads the settings: [Default], overridden by the file, the environment and the flags, in this order.
// It reads the environment and flags only with the options [Environment] and [Flags].
//
// A missing file is an error that matches [io/fs.ErrNotExist]: running silently with other settings than the
// written ones would be worse. The path "" means no file.
func Load(path string, options ...Option) (Settings, error) {
	if path == "" {
		return Parse(path, nil, options...)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	return Parse(path, content, options...)
}

// Parse is [Load] for a file in memory. Messages call the file name.
// An empty file, or one of comments only, is a file that sets nothing.
func Parse(name string, content []byte, options ...Option) (Settings, error) {
	l := &loading{
		limits:   limits{targets: []string{Default().Cluster.Target}, defects: []string{Default().Cluster.Defect}},
		settings: Default(),
		sources:  map[string]string{},
	}
	for _, option := range options {
		option(l)
	}
	l.readFile(name, content)
	l.readEnvironment()
	l.readFlags()
	l.checkDefaults()
	// Check constraints between settings only if each value is valid by itself.
	if len(l.problems) == 0 {
		l.checkConstraints()
	}
	if err := errors.Join(l.problems...); err != nil {
		return Settings{}, err
	}
	return l.settings, nil
}

// An Option of [Load] and [Parse] adds a place to read from or says what the caller supports.
type Option func(*loading)

// Defects names the bugs that the caller can plant, in addition to "none".
func Defects(names ...string) Option {
	return func(l *loading) { l.limits.defects = append([]string{Default().Cluster.Defect}, names...) }
}

// Targets names the targets that the caller can start. The default is "local" only.
func Targets(names ...string) Option {
	return func(l *loading) { l.limits.targets = names }
}

// loading is one reading of the settings.
type loading struct {
	limits   limits
	settings Settings
	// sources holds, for each key that was set, the place of the value in effect.
	sources  map[string]string
	problems []error

	lookup    func(string) (string, bool)
	environ   []string
	variables []string
	given     map[string]string
	described bool
	aside     []error
}

// set parses a value for a key, or records the problem.
func (l *loading) set(k key, text, source string) {
	l.sources[k.path()] = source
	if problem := k.set(&l.settings, text, l.limits); problem != "" {
		l.reject(source, k, problem)
	}
}

func (l *loading) reject(source string, k key, problem string) {
	l.problem(source, k.path(), k.path()+": "+problem, k.allowed(l.limits))
}

func (l *loading) problem(source, key, problem, allowed string) {
	l.problems = append(l.problems, &Error{Source: source, Key: key, Problem: problem, Allowed: allowed})
}

// checkDefaults reports a default outside the caller's limits, for example a target it does not have.
func (l *loading) checkDefaults() {
	defaults := Default()
	for _, k := range keys {
		if l.sources[k.path()] != "" {
			continue
		}
		if problem := k.set(&defaults, k.show(&defaults), l.limits); problem != "" {
			l.reject("default", k, problem)
		}
	}
}
