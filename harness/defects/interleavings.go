package defects

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// interleavings are races between two goroutines of one node. Each has a window of a few operations on locks, channels
// or pools in which no goroutine blocks. In virtual time a goroutine runs until it blocks, so in an ordinary run no
// other goroutine runs within the window.
func interleavings() []Defect {
	return []Defect{
		between("key-is-checked-and-then-noted",
			"a leader checks that a key is new and records it in two critical sections, and applies new keys unchecked", keysInMemory),
		between("answer-is-kept-after-the-unlock",
			"a retry during the first attempt is woken just before the answer is stored", answersUnderWay),
		between("tells-a-request-that-has-gone",
			"a node notifies requests in progress of what was applied, including requests that have closed their channel", tellsUnderWay),
		between("waits-after-it-has-looked",
			"a change checks for its announcement and then starts to wait, and misses an announcement in between", announced),
		between("answers-are-forgotten-after-the-unlock",
			"cached answers to reads are dropped just after an entry is applied, instead of with it", answersInMemory),
		between("buffer-goes-back-before-it-is-sent",
			"the buffer of an answer returns to its pool before the answer is sent", pooledAnswers),
		between("joins-reads-that-have-begun",
			"equal concurrent reads are merged, and one that joins late sends on a closed channel", joinedReads),
	}
}

func between(name, text string, seams func(embedded.Life) embedded.Seams) Defect {
	return Defect{Name: name, Kind: "interleaving", Text: text, About: "suite:together", Between: true, seams: seams}
}

// surviving turns a panic of serve into an error answer.
func surviving(w http.ResponseWriter, serve func()) {
	defer func() {
		what := recover()
		if what == nil {
			return
		}
		if err, is := what.(error); is && errors.Is(err, http.ErrAbortHandler) {
			panic(what)
		}
		refuse(w, http.StatusInternalServerError, "INTERNAL", fmt.Sprint(what))
	}()
	serve()
}

// refuse answers with an error of unknown outcome.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = wire.NewWriter(w, nil).Fail(&wire.Error{Code: code, Message: message, Outcome: wire.OutcomeUnknown})
}

// answerNothing answers with success and no results.
func answerNothing(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_ = wire.NewWriter(w, nil).Close(time.Millisecond)
}
