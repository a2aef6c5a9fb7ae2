package sqlite

import (
	"encoding/binary"
	"fmt"
)

// treePage is a page of a B-tree (https://sqlite.org/fileformat2.html#b_tree_pages).
type treePage struct {
	content []byte
	header  int // offset of its header: the first page starts with the database header
}

// The types of pages. A table without rowids uses those of an index.
const (
	innerIndex = 2
	innerTable = 5
	leafIndex  = 10
	leafTable  = 13
)

const usable = pageSize - sumSize

func (i *image) treePage(number uint32) (treePage, error) {
	content, err := i.read(number)
	if err != nil {
		return treePage{}, err
	}
	p := treePage{content: content}
	if number == 1 {
		p.header = 100
	}
	switch p.kind() {
	case innerIndex, innerTable, leafIndex, leafTable:
		if p.pointer(p.cells()) <= usable {
			return p, nil
		}
	}
	return treePage{}, fmt.Errorf("%s: page %d is not a table page", i.database.Name(), number)
}

func (p treePage) kind() byte { return p.content[p.header] }

func (p treePage) inner() bool { return p.kind() == innerIndex || p.kind() == innerTable }

func (p treePage) cells() int { return int(binary.BigEndian.Uint16(p.content[p.header+3:])) }

// pointer returns the offset of the pointer to a cell.
func (p treePage) pointer(cell int) int {
	if p.inner() {
		return p.header + 12 + 2*cell
	}
	return p.header + 8 + 2*cell
}

// cell returns the offset of a cell, or the end of the cells if the page is malformed.
func (p treePage) cell(i int) int {
	return min(int(binary.BigEndian.Uint16(p.content[p.pointer(i):])), usable)
}

// children returns the pages below an inner page.
func (p treePage) children() []uint32 {
	var out []uint32
	for i := range p.cells() {
		out = append(out, binary.BigEndian.Uint32(p.content[p.cell(i):]))
	}
	return append(out, binary.BigEndian.Uint32(p.content[p.header+8:]))
}

// payload returns the range of a row's bytes on a leaf: only part of a long row, and nothing if
// the page is malformed.
func (p treePage) payload(i int) (from, to int) {
	from = p.cell(i)
	size, n := varint(p.content[from:usable])
	from += n
	most := (usable-12)*64/255 - 23
	if p.kind() == leafTable {
		_, n = varint(p.content[from:usable]) // the rowid
		from += n
		most = usable - 35
	}
	if size > uint64(most) {
		const least = (usable-12)*32/255 - 23
		kept := least + (size-least)%(usable-4)
		if kept > uint64(most) {
			kept = least
		}
		size = kept
	}
	if size > uint64(usable-from) {
		return from, from
	}
	return from, from + int(size)
}

// leaves returns the leaf pages of a tree, in order.
func (i *image) leaves(root uint32) ([]uint32, error) {
	var out []uint32
	seen := make(map[uint32]bool)
	var walk func(number uint32) error
	walk = func(number uint32) error {
		if seen[number] {
			return fmt.Errorf("%s: page %d occurs twice in a table", i.database.Name(), number)
		}
		seen[number] = true
		page, err := i.treePage(number)
		if err != nil {
			return err
		}
		if !page.inner() {
			out = append(out, number)
			return nil
		}
		for _, child := range page.children() {
			if err := walk(child); err != nil {
				return err
			}
		}
		return nil
	}
	return out, walk(root)
}
