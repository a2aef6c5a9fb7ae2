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
// The zero Entry is a mark: applying it changes nothing. A new leader proposes
// one, so that everything before it is known to be committed.
type Entry struct {
	// SQL is one or more statements, which are one transaction.
	SQL string `cbor:"1,keyasint,omitempty"`
	// Params are the statements' parameters, in order: nil, int64, float64, string or []byte.
	Params []any `cbor:"2,keyasint,omitempty"`
	// Time is when the entry was proposed, in milliseconds since the Unix
	// epoch, by the clock of the leader. It is the present for its statements,
	// unless an entry before it in the log has a later one, of a clock that was
	// ahead or has gone back: that is the present then. Time stands still
	// until clocks have caught up, and never runs backwards, nor before 1970.
	Time int64 `cbor:"3,keyasint,omitempty"`
	// ID is the key by which a client names the request. Of several entries with
	// one ID only the first that succeeds is applied. The others have its answer if
	// their SQL and Params are the same, and a *ReusedError if not. A client that
	// does not know whether a request arrived can send it again. See RememberedFor
	// for how long. Empty for no such promise.
	ID string `cbor:"4,keyasint,omitempty"`
	// Ticket names a request without an ID, for the node that was asked: 128 random
	// bits of its own. Of several entries with one Ticket only the first that succeeds
	// is applied, and the others have its answer.
	Ticket []byte `cbor:"6,keyasint,omitempty"`
}

// mostParams bounds the parameters of one entry.
const mostParams = 1 << 20

var (
	encoding = must(cbor.EncOptions{}.EncMode())
	// Text is bytes to SQLite; whether they are UTF-8 is not for the log to judge.
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

// Encode returns the entry as bytes for the log. What it returns can be decoded.
func (e Entry) Encode() ([]byte, error) {
	if len(e.Params) > mostParams {
		return nil, fmt.Errorf("encode log entry: %d parameters are more than %d", len(e.Params), mostParams)
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

// Decode reads what Encode wrote.
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

// Mark tells whether the entry changes nothing.
func (e Entry) Mark() bool { return e.SQL == "" }

// digest is a SHA-256 over the SQL and the parameters with their types. Each part is
// preceded by its type and its length, so that no two requests look alike.
func (e Entry) digest() [sha256.Size]byte {
	h := sha256.New()
	var head [9]byte
	part := func(kind byte, size uint64) {
		head[0] = kind
		binary.BigEndian.PutUint64(head[1:], size)
		h.Write(head[:])
	}
	part('q', uint64(len(e.SQL)))
	_, _ = io.WriteString(h, e.SQL) // a hash takes everything
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
