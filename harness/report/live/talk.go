package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// mostBody bounds the body of a request, in bytes.
const mostBody = 1 << 20

// problem is a sentence about what went wrong.
type problem struct {
	Error string `json:"error"`
}

func refuse(w http.ResponseWriter, status int, sentence string) {
	answer(w, status, problem{upper(sentence)})
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error": "the answer cannot be written as JSON"}`)
	}
	answerText(w, status, text)
}

func answerText(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the browser may have gone
}

// read reads the body of a request into v. It refuses a request without the type of JSON, and fields that v does not have.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "the body must be JSON, and the request must say so: Content-Type: application/json")
		return false
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more than one value")
		}
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("the body is not understood: %v", err))
		return false
	}
	return true
}
