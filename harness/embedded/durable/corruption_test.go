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

// corruption is one of an image at rest.
type corruption struct {
	kind, what string
	image      image
}

// corrupt is everything that is done to an image: to each file, by itself and with an
// older one, in each region. Of each place in a file that is not where something ends
// only one in stride is touched.
func corrupt(now image, older []image, stride int, visit func(corruption)) {
	names := slices.Sorted(maps.Keys(now))
	for _, name := range names {
		content := now[name]
		visit(corruption{"a file is gone", name, now.with(name, nil)})
		visit(corruption{"a file is empty", name, now.with(name, []byte{})})
		visit(corruption{"a file is all zeros", name, now.with(name, make([]byte, len(content)))})
		visit(corruption{"a file is there twice", name, now.with(path.Dir(name)+"/0"+path.Base(name), content)})
		visit(corruption{"a file and the promises are gone", name, now.with(name, nil).with(disk.PromiseFile, nil)})
		for _, at := range places(name, content, stride) {
			where := fmt.Sprintf("%s at byte %d of %d", name, at, len(content))
			visit(corruption{"a file is cut", where, now.with(name, content[:at])})
			zeroed := slices.Clone(content)
			clear(zeroed[at:])
			visit(corruption{"the end of a file is zeros", where, now.with(name, zeroed)})
			if at < len(content) {
				for _, mask := range []byte{1 << (at % 8), 0xFF} {
					flipped := slices.Clone(content)
					flipped[at] ^= mask
					visit(corruption{"bits have flipped", where, now.with(name, flipped)})
				}
				zeroed := slices.Clone(content)
				clear(zeroed[at:min(at+8, len(content))])
				visit(corruption{"eight bytes are zeros", where, now.with(name, zeroed)})
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
				visit(corruption{"a file is an older one", name, now.with(name, was)})
			}
		}
	}
	for _, dir := range []string{disk.LogDir, disk.SnapshotDir} {
		within := func(name string) bool { return path.Dir(name) == dir }
		visit(corruption{"a folder is gone", dir, now.without(within)})
		for _, old := range older {
			rolled := now.without(within)
			for name, content := range old {
				if within(name) {
					rolled[name] = content
				}
			}
			visit(corruption{"a folder is an older one", dir, rolled})
		}
	}
	both := func(name string) bool { return path.Dir(name) != "." }
	visit(corruption{"both folders are gone", "", now.without(both)})
}

// places are where a file is touched: at the bounds of what is in it, beside them, and
// in one of stride bytes between.
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
