package settings

import "strings"

// Error is one thing that is wrong with the settings.
// [Load] and [Parse] join all they find: the file's in line order, then the environment's, then the flags'.
type Error struct {
	// Source is where it is written: "ginkgo.yml:7:10" (line and column, from 1),
	// "environment variable REJOIN_NODES", "flag -rejoin.nodes", or "default".
	Source string
	// Key is the setting, "cluster.nodes". It is what was written where there is no such setting,
	// and empty where the trouble is with the file as a whole.
	Key string
	// Problem is a sentence that names the setting and what is wrong.
	Problem string
	// Allowed is what may stand there instead.
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
