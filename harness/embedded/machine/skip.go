package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/raft"
)

// Skipped names an entry of the log that is refused unseen.
type Skipped struct {
	// Index is its log index.
	Index uint64 `json:"index"`
	// Digest is the SHA-256 of its data in hexadecimal, as EntryDigest gives it. With
	// another one the machine stops at the entry and says what its digest is, so that
	// no other entry is skipped than the one that was meant.
	Digest string `json:"digest"`
}

// ErrSkipped is the answer to an entry that was skipped.
var ErrSkipped = errors.New("the entry was skipped by the operator: nothing was changed")

// EntryDigest is how an entry of the log is named beside its index.
func EntryDigest(log *raft.Log) string {
	sum := sha256.Sum256(log.Data)
	return hex.EncodeToString(sum[:])
}

// skips tells whether the entry is to be skipped.
func (m *Machine) skips(log *raft.Log) (bool, error) {
	at := slices.IndexFunc(m.options.Skip, func(s Skipped) bool { return s.Index == log.Index })
	if at < 0 {
		return false, nil
	}
	if digest := EntryDigest(log); digest != m.options.Skip[at].Digest {
		return false, fmt.Errorf("log index %d is to be skipped, but its digest is %s, not %s", log.Index, digest, m.options.Skip[at].Digest)
	}
	return true, nil
}

func (m *Machine) noteSkipped(index uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.skipped, index) {
		m.skipped = append(m.skipped, index)
	}
}

// Skipped are the log indices of the entries that were skipped since Open.
func (m *Machine) Skipped() []uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.skipped)
}
