package dqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-sqlite3"

	"github.com/rejoin-db/rejoin/harness/target/proc"
)

// replicas connects to copies of a node's database: each connection is one, made from a dump.
type replicas struct{ node *proc.Node }

func (r *replicas) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func (r *replicas) Connect(ctx context.Context) (driver.Conn, error) {
	image, err := dump(ctx, r.node)
	if err != nil {
		return nil, err
	}
	return open(image)
}

// dump is the database of a node as one file, with all that the node has applied; empty if there is none yet. It asks as
// client.Dump does, which takes 10 ms for a megabyte: it copies byte by byte.
func dump(ctx context.Context, n *proc.Node) ([]byte, error) {
	conn, err := dialed(ctx, n, n.Address())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	const version, dumping = 1, 15
	name := append([]byte(database), make([]byte, 8-len(database)%8)...)
	ask := binary.LittleEndian.AppendUint64(nil, version)
	ask = binary.LittleEndian.AppendUint32(ask, uint32(len(name)/8))
	ask = append(append(ask, dumping, 0, 0, 0), name...)
	if _, err := conn.Write(ask); err != nil {
		return nil, err
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil, err
	}
	body := make([]byte, 8*int(binary.LittleEndian.Uint32(head)))
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, err
	}
	const files, failure = 9, 0
	if kind := head[4]; kind != files {
		if kind != failure {
			return nil, fmt.Errorf("it answers the request for a dump by a message of type %d", kind)
		}
		if bytes.Contains(body, []byte("not found")) {
			return nil, nil
		}
		return nil, fmt.Errorf("it does not dump its database: %s", bytes.Trim(body[8:], "\x00"))
	}
	var contents [2][]byte
	body = body[8:] // the number of files
	for i := range contents {
		body = body[(bytes.IndexByte(body, 0)/8+1)*8:] // the name
		size := int(binary.LittleEndian.Uint64(body))
		contents[i], body = body[8:8+size:8+size], body[8+size:] // merged appends to the first
	}
	return merged(contents[0], contents[1]), nil
}

// The sizes of SQLite's formats, in bytes: https://sqlite.org/fileformat2.html.
const (
	databaseHeader = 100
	walHeader      = 32
	frameHeader    = 24
)

// merged writes the committed pages of a write-ahead log into a database.
func merged(image, wal []byte) []byte {
	if len(wal) > walHeader {
		size := int(binary.BigEndian.Uint32(wal[8:]))
		frames := wal[walHeader:]
		pages := make(map[int][]byte) // of the transaction that is read
		for ; len(frames) >= frameHeader+size; frames = frames[frameHeader+size:] {
			pages[int(binary.BigEndian.Uint32(frames))] = frames[frameHeader : frameHeader+size]
			after := int(binary.BigEndian.Uint32(frames[4:])) // the pages of the database, in the last frame of a transaction
			if after == 0 {
				continue
			}
			image = append(image, make([]byte, max(0, after*size-len(image)))...)[:after*size]
			for number, page := range pages {
				if number <= after {
					copy(image[(number-1)*size:], page)
				}
			}
			clear(pages)
		}
	}
	if len(image) >= databaseHeader {
		image[18], image[19] = 1, 1 // its journal is no write-ahead log
	}
	return image
}

// open opens a database in memory.
func open(image []byte) (driver.Conn, error) {
	c, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	if err != nil {
		return nil, err
	}
	conn := c.(*sqlite3.SQLiteConn)
	if len(image) > 0 {
		if err := conn.Deserialize(image, "main"); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return &replica{conn}, nil
}

// replica is a connection to a copy.
type replica struct{ *sqlite3.SQLiteConn }

// QueryContext returns values as they are stored: the driver would convert those of some declared types.
func (r *replica) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := r.SQLiteConn.QueryContext(ctx, query, args)
	if raw, is := rows.(*sqlite3.SQLiteRows); is {
		clear(raw.DeclTypes())
	}
	return rows, err
}

// applied is how many commits a database counts.
func applied(ctx context.Context, image []byte) (n uint64, err error) {
	conn, err := open(image)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	rows, err := conn.(*replica).QueryContext(ctx, "SELECT n FROM rejoin_applied", nil)
	if err != nil && strings.Contains(err.Error(), "no such table") {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		if errors.Is(err, io.EOF) {
			return 0, nil
		}
		return 0, err
	}
	counted, _ := row[0].(int64)
	return uint64(counted), nil
}
