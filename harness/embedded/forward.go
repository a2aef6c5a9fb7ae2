package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
)

// relayed is the leader's answer to a forwarded request.
type relayed struct {
	status  int
	code    string
	outcome string
	index   uint64
	body    []byte
}

// writeThere forwards a change to the leader, and waits until this node has applied it too.
func (n *Node) writeThere(ctx context.Context, w http.ResponseWriter, req *request, l leader) attempt {
	whileItLeads, cancel := n.whileLeads(ctx, l)
	defer cancel()
	answer, sent, err := n.forward(whileItLeads, req, l)
	switch {
	case err != nil:
		return attempt{inDoubt: sent, err: fmt.Errorf("leader %s did not answer: %w", l.id, err)}
	case answer.code == CodeNotLeader, answer.code == CodeStopping, answer.code == CodeNoQuorum, answer.code == CodeFailed,
		answer.code == CodeWrongCluster:
		return attempt{inDoubt: answer.outcome == OutcomeUnknown, err: fmt.Errorf("leader %s answered %s", l.id, answer.code)}
	}
	refused := answer.status == http.StatusBadRequest || answer.status == http.StatusUnprocessableEntity
	if answer.index > 0 && !refused { // a refused change has no effects to wait for
		if err := n.progress.WaitApplied(ctx, answer.index); err != nil {
			n.fail(w, unavailable(CodeBehind, "leader %s has applied the change, but node %s has not caught up: %v",
				l.id, n.config.ID, err).withOutcome(OutcomeApplied))
			return attempt{answered: true}
		}
		w.Header().Set(HeaderIndex, formatIndex(answer.index))
	}
	for name, value := range map[string]string{headerCode: answer.code, headerOutcome: answer.outcome} {
		if value != "" {
			w.Header().Set(name, value)
		}
	}
	n.passOn(w, answer)
	return attempt{answered: true}
}

// passOn sends the leader's answer to the client in pieces, each with its own deadline.
func (n *Node) passOn(w http.ResponseWriter, answer relayed) {
	n.allow(w)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	for piece := range slices.Chunk(answer.body, passedOnAtOnce) {
		n.allow(w)
		if _, err := w.Write(piece); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

const passedOnAtOnce = 64 << 10 // bytes

// whileLeads returns a context that ends when l no longer leads, because its answer may then never
// arrive.
func (n *Node) whileLeads(ctx context.Context, l leader) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	n.futures.Go(func() {
		_, err := n.leaderState.await(ctx, func(now leader, _ bool) bool { return now != l })
		if err == nil {
			cancel(fmt.Errorf("%s no longer leads", l.id))
		}
	})
	return ctx, func() { cancel(context.Canceled) }
}

// forward sends the request to the leader. sent is false if the request certainly did not reach it.
func (n *Node) forward(ctx context.Context, req *request, l leader) (answer relayed, sent bool, err error) {
	body, err := req.Append(nil)
	if err != nil {
		return relayed{}, false, err
	}
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent = true }}
	target := url.URL{Scheme: "http", Host: l.address, Path: "/v1/api/sql"}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return relayed{}, false, err
	}
	req.name.set(request.Header)
	response, err := n.send(request)
	if err != nil {
		return relayed{}, sent, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	answer = relayed{status: response.StatusCode, code: response.Header.Get(headerCode), outcome: response.Header.Get(headerOutcome)}
	// JSON escapes may take more bytes than the rows.
	if answer.body, err = io.ReadAll(io.LimitReader(response.Body, 8*n.config.Machine.AnswerLimit)); err != nil {
		return relayed{}, true, err
	}
	if text := response.Header.Get(HeaderIndex); text != "" {
		if answer.index, err = strconv.ParseUint(text, 10, 64); err != nil {
			return relayed{}, true, fmt.Errorf("header %s: %w", HeaderIndex, err)
		}
	}
	return answer, true, nil
}
