package sqlite

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Damage flips one bit of the database in the file path, whether or not it is open, and returns
// the changed file: the database or its write-ahead log. The bit belongs to a row: the first row,
// in its newest version, of the table with the most pages, excluding the database's own tables
// and indexes. The place depends on the content only, so damaging the same database twice
// restores it.
//
// A connection that has cached the page does not read it again before another connection has
// written. A page that is written again is intact again. Damage returns an error if no table has
// a row, and may return one if the database is written concurrently.
//
// It must not be called by a process that shares the database with another process: closing the
// file would release the process's locks on it.
func Damage(path string) (file string, err error) {
	i, err := openImage(path)
	if err != nil {
		return "", fmt.Errorf("damage a database: %w", err)
	}
	defer func() {
		if closing := i.close(); closing != nil {
			err = errors.Join(err, fmt.Errorf("damage a database: %w", closing))
		}
	}()
	page, at, err := i.row()
	if err != nil {
		return "", fmt.Errorf("damage a database: %w", err)
	}
	target, begin := i.where(page)
	if err := flip(target, begin+int64(at)); err != nil {
		return "", fmt.Errorf("damage a database: %w", err)
	}
	return target.Name(), nil
}

// row returns the position of a byte of a row.
func (i *image) row() (page uint32, at int, err error) {
	roots, err := i.tables()
	if err != nil {
		return 0, 0, err
	}
	most := 0
	for _, root := range roots {
		leaves, err := i.leaves(root)
		if err != nil {
			return 0, 0, err
		}
		first, err := i.treePage(leaves[0])
		if err != nil {
			return 0, 0, err
		}
		if len(leaves) <= most || first.cells() == 0 {
			continue
		}
		from, to := first.payload(0)
		if from == to {
			return 0, 0, fmt.Errorf("%s: page %d has a row without bytes", i.database.Name(), leaves[0])
		}
		// The last byte belongs to the last value that has content.
		most, page, at = len(leaves), leaves[0], to-1
	}
	if most == 0 {
		return 0, 0, fmt.Errorf("%s: no table has a row", i.database.Name())
	}
	return page, at, nil
}

// tables returns the root pages of the clients' tables, in order of creation.
func (i *image) tables() ([]uint32, error) {
	leaves, err := i.leaves(1)
	if err != nil {
		return nil, err
	}
	var out []uint32
	for _, number := range leaves {
		page, err := i.treePage(number)
		if err != nil {
			return nil, err
		}
		for cell := range page.cells() {
			from, to := page.payload(cell)
			if root := userTable(record(page.content[from:to])); root > 0 {
				out = append(out, root)
			}
		}
	}
	return out, nil
}

// userTable returns the root page of the table in a row of the schema (type, name, table, root
// page, SQL), or 0 if the row is not a client's table.
func userTable(row []any) uint32 {
	if len(row) < 4 || row[0] != "table" {
		return 0
	}
	name, _ := row[1].(string)
	root, _ := row[3].(int64)
	if strings.HasPrefix(name, ReservedPrefix) || strings.HasPrefix(name, "sqlite_") {
		return 0
	}
	return uint32(root)
}

func flip(file *os.File, at int64) error {
	var b [1]byte
	if _, err := file.ReadAt(b[:], at); err != nil {
		return err
	}
	b[0] ^= 1
	_, err := file.WriteAt(b[:], at)
	return err
}
