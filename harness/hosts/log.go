package hosts

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	noDeadline = time.Time{}
	longAgo    = time.Unix(1, 0)
)

// log is the file that the host's programs write to. It is not on the host's disk.
func (h *Host) log() string { return h.dir + ".log" }

// Log returns the end of what all programs on the host wrote: at most that many bytes, of valid UTF-8. It has nothing of
// programs with an Output of their own.
func (h *Host) Log(most int) (string, error) {
	text, err := tail(h.log(), int64(most))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the log of host %s: %w", h.name, err)
	}
	return text, nil
}

func tail(path string, most int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // it was only read
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	text := make([]byte, max(0, min(size, most)))
	if _, err := f.ReadAt(text, size-int64(len(text))); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	for len(text) > 0 && size > most && !utf8.RuneStart(text[0]) {
		text = text[1:]
	}
	return strings.ToValidUTF8(string(text), "\uFFFD"), nil
}
