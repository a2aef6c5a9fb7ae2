package disk

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// lose removes a part of the log, and returns the newest affected file.
func (d *Disk) lose(part fault.Part) (file string, err error) {
	names, err := d.stable.list(LogDir)
	if err != nil {
		return "", err
	}
	newest, err := d.newestSegment(names)
	if err != nil {
		return "", err
	}
	if newest == "" {
		return "", fmt.Errorf("remove the %s: there is none in %s", part, d.stable.path(LogDir))
	}
	switch part {
	case fault.LogEnd:
		err = d.truncateLog(newest)
	case fault.LogFile:
		err = d.stable.remove(newest)
	default:
		for _, name := range names {
			err = errors.Join(err, d.stable.remove(path.Join(LogDir, name)))
		}
	}
	return d.stable.path(newest), err
}

// newestSegment returns the newest segment with content, or "".
func (d *Disk) newestSegment(names []string) (string, error) {
	for _, name := range slices.Backward(names) {
		if !strings.HasSuffix(name, LogSuffix) {
			continue
		}
		name = path.Join(LogDir, name)
		content, err := d.used(name)
		if len(content) > segmentHeader || err != nil {
			return name, err
		}
	}
	return "", nil
}

// used returns a file's content without the zeros at its end.
func (d *Disk) used(name string) (content []byte, err error) {
	file, err := d.stable.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.length()
	if err != nil {
		return nil, err
	}
	used, err := usedOf(file, size)
	if err != nil {
		return nil, err
	}
	content = make([]byte, used)
	if _, err := file.ReadAt(content, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return content, nil
}

// truncateLog truncates a segment at the end of an append, so that the rest is intact.
func (d *Disk) truncateLog(name string) (err error) {
	content, err := d.used(name)
	if err != nil {
		return err
	}
	file, err := d.stable.open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return file.truncate(appendBefore(content, int64(len(content))/2))
}

// appendBefore returns the end of the last append before place in a segment, or the beginning of
// the first.
func appendBefore(segment []byte, place int64) int64 {
	end := int64(segmentHeader)
	for at := end; at < place && at+frameHeader <= int64(len(segment)); {
		next, kind := frameAt(segment, at)
		if next > int64(len(segment)) {
			break
		}
		at = next
		if kind == commitFrame && at <= place {
			end = at
		}
	}
	return end
}
