package wire_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

func ExampleWriter() {
	w := wire.NewWriter(os.Stdout, nil)
	serve := func() error {
		if err := w.Result([]wire.Column{{Name: "id", Type: "INTEGER"}}); err != nil {
			return err
		}
		if err := w.Row([]any{int64(1)}); err != nil {
			return err
		}
		return w.EndResult(wire.ReadOnly)
	}
	if err := serve(); err != nil {
		if w.Fail(&wire.Error{Code: "SQL_ERROR", Message: err.Error()}) != nil {
			panic("an HTTP server would panic with http.ErrAbortHandler, to cut the connection")
		}
		return
	}
	_ = w.Close(1500 * time.Microsecond)
	// Output: {"results":[{"schema":[{"name":"id","data_type":"INTEGER"}],"rows":[[1]],"row_count":1}],"status":"success","took":1.500}
}

func ExampleReader() {
	body := strings.NewReader(`{"results":[{"schema":[{"name":"id","data_type":"INTEGER"}],"rows":[[1],[2]]}],` +
		`"status":"error","error":{"code":"IO","message":"disk full"}}`)
	r := wire.NewReader(body)
	for r.NextResult() {
		for r.Next() {
			values, err := r.Row()
			fmt.Println(values, err)
		}
	}
	fmt.Println(r.Err())
	// Output:
	// [1] <nil>
	// [2] <nil>
	// IO: disk full
}

func ExampleRequest() {
	body, _ := wire.Request{SQL: "INSERT INTO t VALUES (?, ?)", Params: []any{1.0, []byte("x")}}.Append(nil)
	fmt.Println(string(body))
	req, err := wire.DecodeRequest(bytes.NewReader(body))
	fmt.Printf("%q %v %v\n", req.SQL, req.Params, err)
	// Output:
	// {"sql":"INSERT INTO t VALUES (?, ?)","params":[1.0,{"base64":"eA=="}]}
	// "INSERT INTO t VALUES (?, ?)" [1 [120]] <nil>
}
