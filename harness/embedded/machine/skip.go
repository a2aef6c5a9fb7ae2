package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/raft"
)

// Skipped identifies a log entry that is refused without being executed.
type Skipped struct {
	// Index is its log index.
	Index uint64 `json:"index"`
	// Digest is the SHA-256 of the entry's data in hexadecimal, as EntryDigest returns it. If it
	// does not match, the machine stops at the entry and reports the entry's digest, so that no
	// other entry is skipped by mistake.
	Digest string `json:"digest"`
}

// ErrSkipped is the response of a skipped entry.
var ErrSkipped = errors.New("the entry was skipped by the operator: nothing was changed")

// EntryDigest returns the SHA-256 of a log entry's data in hexadecimal.
func EntryDigest(log *raft.Log) string {
	sum := sha256.Sum256(log.Data)
	return hex.EncodeToString(sum[:])
}

// shouldSkip returns whether the entry is to be skipped. A digest mismatch is an error.
func (m *Machine) shouldSkip(log *raft.Log) (bool, error) {
	at := slices.IndexFunc(m.options.Skip, func(s Skipped) bool { return s.Index == log.Index })
	if at < 0 {
		return false, nil
	}
	if digest := EntryDigest(log); digest != m.options.Skip[at].Digest {
		return false, fmt.Errorf("skip log index %d: the entry's digest is %s, the configured digest is %q", log.Index, digest,
			m.options.Skip[at].Digest)
	}
	return true, nil
}

func (m *Machine) recordSkipped(index uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.skipped, index) {
		m.skipped = append(m.skipped, index)
	}
}

// Skipped returns the log indices of the entries skipped since Open.
func (m *Machine) Skipped() []uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.skipped)
}
