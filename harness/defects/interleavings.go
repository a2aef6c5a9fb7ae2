package defects

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// interleavings are bugs between two goroutines of one node. Each has a window of a few
// operations on locks, channels or pools in which no goroutine waits. In virtual time a
// goroutine runs until it waits, so on an ordinary run no other goroutine comes in between.
func interleavings() []Defect {
	return []Defect{
		between("key-is-checked-and-then-noted",
			"a leader checks that a key is new and notes it under another hold of the lock, and what it found new is applied unchecked", keysInMemory),
		between("answer-is-kept-after-the-unlock",
			"who sends a request again while it is under way is told that its answer is there one line before it is", answersUnderWay),
		between("tells-a-request-that-has-gone",
			"a node tells the requests under way what was applied, also those that have closed their channel meanwhile", tellsUnderWay),
		between("waits-after-it-has-looked",
			"a change that is not announced yet begins to wait after it has looked, and misses an announcement in between", announced),
		between("answers-are-forgotten-after-the-unlock",
			"answers to reads are kept until an entry is applied, and one line longer", answersInMemory),
		between("buffer-goes-back-before-it-is-sent",
			"an answer lies in a buffer that goes back to its pool before the answer is sent", pooledAnswers),
		between("joins-reads-that-have-begun",
			"reads that are alike and come together are one, and one that joins late sends on a closed channel", joinedReads),
	}
}

func between(name, text string, seams func(embedded.Life) embedded.Seams) Defect {
	return Defect{Name: name, Kind: "interleaving", Text: text, About: "suite:together", Between: true, seams: seams}
}

// surviving has a panic of serve be an answer, of a server that goes on.
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

// refuse answers with an error that leaves the outcome of the request unknown.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = wire.NewWriter(w, nil).Fail(&wire.Error{Code: code, Message: message, Outcome: wire.OutcomeUnknown})
}

// answerNothing answers by a success without a result.
func answerNothing(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_ = wire.NewWriter(w, nil).Close(time.Millisecond)
}
