package machine

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// Entry is the content of one log entry: a request that changes data.
//
// The zero Entry is a mark: applying it changes nothing. A new leader proposes one to commit all
// entries before it.
type Entry struct {
	// SQL is one or more statements, run as one transaction.
	SQL string `cbor:"1,keyasint,omitempty"`
	// Params are the parameters of all statements, in order: nil, int64, float64, string or
	// []byte.
	Params []any `cbor:"2,keyasint,omitempty"`
	// Time is the time of the proposal by the leader's clock, in milliseconds since the Unix
	// epoch. It is the current time for the entry's statements, unless an earlier entry of the
	// log has a later time, from a clock that was ahead or was set back. Then that later time is
	// used until the clocks catch up. Time never decreases along the log and is never before
	// 1970.
	Time int64 `cbor:"3,keyasint,omitempty"`
	// ID is the client's key for the request. Of several entries with the same ID only the first
	// that succeeds is applied. The others get its answer if their SQL and Params are the same,
	// and a *ReusedError otherwise. A client that does not know whether a request was applied can
	// therefore send it again. See RememberedFor for how long an ID is known. An empty ID gives
	// no such guarantee.
	ID string `cbor:"4,keyasint,omitempty"`
	// Ticket identifies a request without an ID: 128 random bits drawn by the node that received
	// it. Of several entries with the same Ticket only the first that succeeds is applied, and
	// the others get its answer.
	Ticket []byte `cbor:"6,keyasint,omitempty"`
}

// mostParams is the maximum number of parameters of one entry.
const mostParams = 1 << 20

var (
	encoding = must(cbor.EncOptions{}.EncMode())
	// SQLite treats text as bytes. The log does not check that it is UTF-8.
	decoding = must(cbor.DecOptions{
		IntDec:           cbor.IntDecConvertSignedOrFail,
		UTF8:             cbor.UTF8DecodeInvalid,
		MaxArrayElements: mostParams,
	}.DecMode())
)

func must[M any](mode M, err error) M {
	if err != nil {
		panic(err)
	}
	return mode
}

// Encode returns the entry in CBOR, for the log. Decode accepts every result of Encode. It
// returns an error for too many parameters and for a parameter of another type.
func (e Entry) Encode() ([]byte, error) {
	if len(e.Params) > mostParams {
		return nil, fmt.Errorf("encode log entry: %d parameters exceed the limit of %d", len(e.Params), mostParams)
	}
	if err := sqlite.CheckParams(e.Params); err != nil {
		return nil, fmt.Errorf("encode log entry: %w", err)
	}
	data, err := encoding.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode log entry: %w", err)
	}
	return data, nil
}

// Decode decodes the result of Encode.
func Decode(data []byte) (Entry, error) {
	var e Entry
	if err := decoding.Unmarshal(data, &e); err != nil {
		return Entry{}, fmt.Errorf("decode log entry: %w", err)
	}
	if err := sqlite.CheckParams(e.Params); err != nil {
		return Entry{}, fmt.Errorf("decode log entry: %w", err)
	}
	return e, nil
}

// Mark returns whether the entry changes nothing.
func (e Entry) Mark() bool { return e.SQL == "" }

// digest is a SHA-256 over the SQL and the parameters with their types. Each part is preceded by
// its type and its length, so that different requests have different digests.
func (e Entry) digest() [sha256.Size]byte {
	h := sha256.New()
	var head [9]byte
	part := func(kind byte, size uint64) {
		head[0] = kind
		binary.BigEndian.PutUint64(head[1:], size)
		h.Write(head[:])
	}
	part('q', uint64(len(e.SQL)))
	_, _ = io.WriteString(h, e.SQL) // a hash never returns an error
	for _, p := range e.Params {
		switch p := p.(type) {
		case nil:
			part('n', 0)
		case int64:
			part('i', uint64(p))
		case float64:
			part('f', math.Float64bits(p))
		case string:
			part('s', uint64(len(p)))
			_, _ = io.WriteString(h, p)
		case []byte:
			part('b', uint64(len(p)))
			h.Write(p)
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (e Entry) when() time.Time { return time.UnixMilli(e.Time) }
