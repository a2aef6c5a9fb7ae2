package settings

import "strings"

// Error is one problem with the settings.
// [Load] and [Parse] join all problems: the file's in line order, then the environment's, then the flags'.
type Error struct {
	// Source is the place: "ginkgo.yml:7:10" (line and column, from 1),
	// "environment variable REJOIN_NODES", "flag -rejoin.nodes", or "default".
	Source string
	// Key is the setting, for example "cluster.nodes". For an unknown setting it is the name as written.
	// It is empty if the problem concerns the whole file.
	Key string
	// Problem is a sentence that names the setting and says what is wrong.
	Problem string
	// Allowed describes the allowed values; empty if there is nothing to list.
	Allowed string
}

func (e *Error) Error() string {
	message := e.Source + ": " + e.Problem
	if e.Allowed == "" {
		return message
	}
	if !strings.HasSuffix(message, "?") {
		message += ";"
	}
	return message + " allowed: " + e.Allowed
}
