package durable

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// corruption is one corruption of an image at rest.
type corruption struct {
	kind, what string
	image      image
}

// corrupt visits all corruptions of an image: of each file, alone and with an older version, and
// of each region. Positions that are not boundaries of records are visited once per stride bytes.
func corrupt(now image, older []image, stride int, visit func(corruption)) {
	names := slices.Sorted(maps.Keys(now))
	for _, name := range names {
		content := now[name]
		visit(corruption{"a file is missing", name, now.with(name, nil)})
		visit(corruption{"a file is empty", name, now.with(name, []byte{})})
		visit(corruption{"a file is all zeros", name, now.with(name, make([]byte, len(content)))})
		visit(corruption{"a file is duplicated", name, now.with(path.Dir(name)+"/0"+path.Base(name), content)})
		visit(corruption{"a file and the promises are missing", name, now.with(name, nil).with(disk.PromiseFile, nil)})
		for _, at := range places(name, content, stride) {
			where := fmt.Sprintf("%s at byte %d of %d", name, at, len(content))
			visit(corruption{"a file is truncated", where, now.with(name, content[:at])})
			zeroed := slices.Clone(content)
			clear(zeroed[at:])
			visit(corruption{"the end of a file is zeroed", where, now.with(name, zeroed)})
			if at < len(content) {
				for _, mask := range []byte{1 << (at % 8), 0xFF} {
					flipped := slices.Clone(content)
					flipped[at] ^= mask
					visit(corruption{"flipped bits", where, now.with(name, flipped)})
				}
				zeroed := slices.Clone(content)
				clear(zeroed[at:min(at+8, len(content))])
				visit(corruption{"eight bytes are zeroed", where, now.with(name, zeroed)})
			}
		}
		for _, other := range names {
			if other > name && path.Dir(other) == path.Dir(name) {
				visit(corruption{"two files are swapped", name + " and " + other, now.with(name, now[other]).with(other, content)})
			}
		}
		seen := [][]byte{content}
		for _, old := range slices.Backward(older) {
			was, is := old[name]
			if is && !slices.ContainsFunc(seen, func(known []byte) bool { return bytes.Equal(known, was) }) {
				seen = append(seen, was)
				visit(corruption{"a file is an older version", name, now.with(name, was)})
			}
		}
	}
	for _, dir := range []string{disk.LogDir, disk.SnapshotDir} {
		within := func(name string) bool { return path.Dir(name) == dir }
		visit(corruption{"a folder is missing", dir, now.without(within)})
		for _, old := range older {
			rolled := now.without(within)
			for name, content := range old {
				if within(name) {
					rolled[name] = content
				}
			}
			visit(corruption{"a folder is an older version", dir, rolled})
		}
	}
	both := func(name string) bool { return path.Dir(name) != "." }
	visit(corruption{"both folders are missing", "", now.without(both)})
}

// places returns the offsets at which a file is corrupted: the boundaries of its records, their
// neighbours, and every stride bytes.
func places(name string, content []byte, stride int) (at []int) {
	for i := 0; i < len(content); i += stride {
		at = append(at, i)
	}
	if strings.HasSuffix(name, disk.LogSuffix) {
		used := len(bytes.TrimRight(content, "\x00"))
		for i := segmentHeader; i+frameHeader <= used; {
			length := int(uint32(content[i+4]) | uint32(content[i+5])<<8 | uint32(content[i+6])<<16 | uint32(content[i+7])<<24)
			if content[i] == frameCommit {
				length = 0
			}
			at = append(at, i, i+4, i+frameHeader, i+frameHeader+recordHeader)
			i += frameHeader + rounded(length)
		}
		at = append(at, max(used-1, 0), used)
	}
	slices.Sort(at)
	return slices.Compact(slices.DeleteFunc(at, func(i int) bool { return i > len(content) }))
}
