package journal

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
)

// Version is the version of the format that Save writes. FORMAT.md documents it. Version 0 had
// no header, and version 1 said in texts what fields say now.
const Version = 2

// Header is the first line of a saved journal: where the events come from.
type Header struct {
	Version int `json:"rejoin_journal"`
	// Module is the version of Rejoin that wrote the journal, and the version of Go.
	Module string `json:"module,omitempty"`
	// Seed, Target, Abilities and Nodes are those of the first cluster that was booted.
	Seed      uint64   `json:"seed,omitempty"`
	Target    string   `json:"target,omitempty"`
	Abilities []string `json:"abilities,omitempty"`
	Nodes     int      `json:"nodes,omitempty"`
	// Settings are those of the run, by their names.
	Settings map[string]string `json:"settings,omitempty"`
	// Dropped is how many events of each kind the journal lost before it was saved.
	Dropped map[Kind]int `json:"dropped,omitempty"`
}

// HeaderOf returns the header of events that are no longer in a journal.
func HeaderOf(events []Event) Header {
	h := Header{Version: Version}
	for _, e := range events {
		if e.Boot != nil && e.Err == "" {
			h.describe(e.Boot)
			break
		}
	}
	return h
}

func (h *Header) describe(b *BootInfo) {
	h.Seed, h.Target, h.Abilities, h.Nodes = b.Seed, b.Target, slices.Clone(b.Abilities), b.Size
}

// Header returns the first line of the journal as it is now.
func (j *Journal) Header() Header {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := Header{Version: Version}
	if j.booted != nil {
		h.describe(j.booted)
	}
	for kind, n := range j.dropped {
		if n > 0 {
			if h.Dropped == nil {
				h.Dropped = make(map[Kind]int)
			}
			h.Dropped[kind] = n
		}
	}
	return h
}

// modulePath is the path of Rejoin's module.
const modulePath = "github.com/rejoin-db/rejoin"

// module describes this build: module, version and commit as far as they are known, and Go.
func module() string {
	info, known := debug.ReadBuildInfo()
	if !known {
		return ""
	}
	version := ""
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == modulePath {
			version = m.Version
		}
	}
	text := modulePath + " " + or(version, "(devel)")
	if info.Main.Path == modulePath {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				text += " " + s.Value
			}
		}
	}
	return text + " " + info.GoVersion
}

func isHeader(text []byte) bool {
	var h struct {
		Version *int `json:"rejoin_journal"`
	}
	return json.Unmarshal(text, &h) == nil && h.Version != nil
}

func (h *Header) read(text []byte) error {
	if err := strict(text, h); err != nil {
		return err
	}
	if h.Version < 1 || h.Version > Version {
		return fmt.Errorf("the journal has version %d: this program reads versions up to %d", h.Version, Version)
	}
	return nil
}

// upgradeFrom returns what brings events of a version up to the current one, in the order in
// which they were recorded.
func upgradeFrom(version int) func(*Event) {
	switch version {
	case 0:
		zero, one := &version0{}, &version1{}
		return func(e *Event) {
			zero.upgrade(e)
			one.upgrade(e)
		}
	case 1:
		return (&version1{}).upgrade
	}
	return func(*Event) {}
}
