package defects

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// answers are bugs in the parts of an answer besides the rows, and at the bounds of what it can express.
func answers() []Defect {
	const kind, about = "answers", "suite:answers"
	const values, altered, together = "suite:answers-values", "suite:answers-altered", "suite:answers-together"
	return []Defect{
		inResults("only-the-last-statement-counts", kind,
			"of several statements, only the last is reported to have changed rows", about,
			func(_ machine.Entry, results []machine.Result) {
				for i := range results[:len(results)-1] {
					results[i].Affected = 0
				}
			}),
		inResults("schema-changes-count-rows", kind,
			"a schema change is reported to have changed as many rows as the statement before it", about,
			func(entry machine.Entry, results []machine.Result) {
				statements, err := sqltext.Split(entry.SQL)
				for i := range results {
					if err == nil && i > 0 && statements[i].ChangesSchema() {
						results[i].Affected = results[i-1].Affected
					}
				}
			}),
		inResults("no-rows-have-no-columns", kind,
			"a change that returns no rows does not name its columns", about,
			func(_ machine.Entry, results []machine.Result) {
				for i := range results {
					if len(results[i].Rows) == 0 {
						results[i].Columns = nil
					}
				}
			}),
		inMachine("a-tenth-parameter-is-the-first", kind,
			"a parameter with a two-digit number is read as that of the first digit", about,
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return rewriting(inner, func(_ *raft.Log, entry machine.Entry) machine.Entry {
					if len(entry.Params) > 9 && tenth.MatchString(entry.SQL) {
						params := append([]any(nil), entry.Params...)
						params[9] = params[0]
						entry.Params = params
					}
					return entry
				})
			}),
		inHandler("blames-the-first-statement", kind,
			"if one of several statements fails, the error names the first", about,
			func(inner http.Handler, w http.ResponseWriter, r *http.Request, _ wire.Request) {
				answer := httptest.NewRecorder()
				inner.ServeHTTP(answer, r)
				if answer.Code >= http.StatusBadRequest {
					answer.Body = bytes.NewBuffer(blamed.ReplaceAll(answer.Body.Bytes(), []byte("statement 1 of")))
				}
				pass(w, answer)
			}),
		inParams("minus-zero-loses-its-sign", kind,
			"a float -0 is stored as 0", values,
			func(value any) any {
				if f, is := value.(float64); is && f == 0 {
					return 0.0
				}
				return value
			}),
		inParams("minus-infinity-is-the-least-float", kind,
			"minus infinity is stored as the smallest finite float", values,
			func(value any) any {
				if f, is := value.(float64); is && math.IsInf(f, -1) {
					return -math.MaxFloat64
				}
				return value
			}),
		inParams("text-is-mended", kind,
			"invalid UTF-8 in a text is stored as question marks", values,
			func(value any) any {
				if text, is := value.(string); is && !utf8.ValidString(text) {
					return strings.ToValidUTF8(text, "?")
				}
				return value
			}),
		inParams("text-ends-at-a-mebibyte", kind,
			"only the first MiB of a text or blob is stored", values,
			func(value any) any {
				const most = 1 << 20
				switch v := value.(type) {
				case string:
					return v[:min(len(v), most)]
				case []byte:
					return v[:min(len(v), most)]
				}
				return value
			}),
		{
			Name: "a-row-at-a-border-is-lost", Kind: kind, About: values,
			Text:   "a row that ends at a multiple of 4 KiB is missing in the answer",
			target: planted{client: func(n target.Node) target.SQL { return bordered{n.Client()} }}.plant},
		{
			Name: "columns-keep-their-names", Kind: kind, About: altered,
			Text: "a node names the columns of a read as when it first answered the same text",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Handler: overSQL(newNaming().serve)}
			}},
		inMachine("retry-forgets-the-types", kind,
			"the answer to a retried change lacks the types of its columns", altered,
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return again(inner, func(results []machine.Result) {
					for i := range results {
						columns := append([]sqlite.Column(nil), results[i].Columns...)
						for j := range columns {
							columns[j].Type = ""
						}
						results[i].Columns = columns
					}
				})
			}),
		inMachine("retry-has-text-for-blobs", kind,
			"the answer to a retried change has texts where there were blobs", altered,
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return again(inner, func(results []machine.Result) {
					for _, result := range results {
						for _, row := range result.Rows {
							for i, value := range row {
								if blob, is := value.([]byte); is {
									row[i] = string(blob)
								}
							}
						}
					}
				})
			}),
		inMachine("retry-counts-only-once", kind,
			"the answer to a retried change of several statements has the number of changed rows of the first only", altered,
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return again(inner, func(results []machine.Result) {
					for i := range results {
						if i > 0 {
							results[i].Affected = 0
						}
					}
				})
			}),
		inMachine("rowid-of-the-request-before", kind,
			"in requests that are applied in one batch, last_insert_rowid() starts with the value of the request before", together,
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
					changed := append([]*raft.Log(nil), logs...)
					for i, log := range logs {
						if entry, is := entryOf(log); is && i > 0 {
							entry.SQL = strings.Replace(entry.SQL, "last_insert_rowid()", fmt.Sprintf("(last_insert_rowid() + %d)", i), 1)
							changed[i] = with(log, entry)
						}
					}
					return inner.ApplyBatch(changed)
				}}
			}),
		inMachine("changes-of-the-batch", kind,
			"a request reports the number of rows that its whole batch changed", together,
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
					answers := inner.ApplyBatch(logs)
					var sum int64
					for _, answer := range answers {
						if response, is := answer.(machine.Response); is && len(response.Results) > 1 {
							sum += response.Results[1].Affected
							response.Results[1].Affected = sum
						}
					}
					return answers
				}}
			}),
	}
}

var (
	tenth  = regexp.MustCompile(`\?1\d`)
	blamed = regexp.MustCompile(`statement \d+ of`)
)

// inResults is a bug in the results of a change, one per statement. change sees only successful requests.
func inResults(name, kind, text, about string, change func(entry machine.Entry, results []machine.Result)) Defect {
	return inMachine(name, kind, text, about, func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
		return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
			answers := inner.ApplyBatch(logs)
			for i, answer := range answers {
				response, is := answer.(machine.Response)
				if entry, asked := entryOf(logs[i]); is && asked && len(response.Results) > 0 {
					change(entry, response.Results)
				}
			}
			return answers
		}}
	})
}

// again changes the answers to requests whose key the node has seen before.
func again(inner raft.BatchingFSM, change func([]machine.Result)) raft.BatchingFSM {
	seen := make(map[string]bool)
	return batches{inner, func(inner raft.BatchingFSM, logs []*raft.Log) []any {
		answers := inner.ApplyBatch(logs)
		for i, log := range logs {
			entry, is := entryOf(log)
			if response, applied := answers[i].(machine.Response); is && applied && entry.ID != "" {
				if seen[entry.ID] {
					change(response.Results)
				}
				seen[entry.ID] = true
			}
		}
		return answers
	}}
}

// bordered drops the rows that end at a border.
type bordered struct{ target.SQL }

const border = 4 << 10 // bytes

func (b bordered) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	rows, err := b.SQL.Query(ctx, request)
	if err != nil {
		return nil, err
	}
	return &borderedRows{Rows: rows}, nil
}

type borderedRows struct {
	target.Rows
	bytes int
}

func (r *borderedRows) Next() bool {
	for r.Rows.Next() {
		if r.bytes += len(r.Raw()) + 1; r.bytes%border != 0 {
			return true
		}
	}
	return false
}

// naming names columns as in the first answer to the same text.
type naming struct {
	mu    sync.Mutex
	first map[string]json.RawMessage
}

func newNaming() *naming { return &naming{first: make(map[string]json.RawMessage)} }

func (n *naming) serve(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request) {
	if changesData(asked) {
		inner.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	inner.ServeHTTP(answer, r)
	var said struct {
		Results []map[string]json.RawMessage `json:"results"`
		Status  string                       `json:"status"`
		Took    json.RawMessage              `json:"took"`
	}
	if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &said) != nil || len(said.Results) != 1 {
		pass(w, answer)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	known, is := n.first[asked.SQL]
	now := said.Results[0]["schema"]
	if !is || bytes.Count(known, []byte(`"name"`)) != bytes.Count(now, []byte(`"name"`)) {
		n.first[asked.SQL] = now
		pass(w, answer)
		return
	}
	answer.Body = bytes.NewBuffer(bytes.Replace(answer.Body.Bytes(), now, known, 1))
	pass(w, answer)
}
