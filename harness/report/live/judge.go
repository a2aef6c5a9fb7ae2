package live

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

// Judged is what the judges say about the journal so far.
type Judged struct {
	Verdicts []page.Verdict `json:"verdicts"` // without the indexes of events
	Examples [][]string     `json:"examples"` // by verdict: the events of its violations, as lines
	Events   int            `json:"events"`
	NotFinal string         `json:"notFinal,omitempty"` // why nodes were not read a last time
	Error    string         `json:"error,omitempty"`    // of the final reads
	Expected []string       `json:"expected"`           // what the makers of the database do not promise
	Took     string         `json:"took"`
}

// postJudge judges. First it reads everything a last time on every node, if the cluster is at rest.
func (p *Page) postJudge(w http.ResponseWriter, r *http.Request) {
	var nothing struct{}
	if !read(w, r, &nothing) {
		return
	}
	ctx, over, ok := p.begin(patience)
	if !ok {
		stopping(w)
		return
	}
	defer over()
	one := &Busy{Place: "workloads", Key: "judge", Text: "judge"}
	if !p.enter(one) {
		refuse(w, http.StatusConflict, "the journal is being judged already")
		return
	}
	judged := p.judge(ctx)
	said := Said{Text: "The judges have decided", At: time.Now().UnixMilli()}
	if slices.ContainsFunc(judged.Verdicts, func(v page.Verdict) bool { return v.Result == "broken" }) {
		said = Said{Text: "A judge objects", Failed: true, At: said.At}
	}
	p.leave(one, said)
	answer(w, http.StatusOK, judged)
}

func (p *Page) judge(ctx context.Context) Judged {
	begun := time.Now()
	j := Judged{Expected: []string{}}
	for _, claim := range p.cluster.Claims() {
		if !claim.Made {
			j.Expected = append(j.Expected, upper(claim.String()))
		}
	}
	var err error
	if j.NotFinal, err = p.loads.final(ctx); err != nil {
		j.Error = sentence(err)
	}
	resumed := p.loads.switchedOn()
	events := slices.DeleteFunc(p.cluster.Journal().Events(), func(e journal.Event) bool {
		return e.Op != nil && e.Op.Final && e.At.Before(resumed)
	})
	var t page.Trace
	t.Judge(p.cluster.Journal().Header(), events)
	j.Events = len(events)
	for i, v := range t.Verdicts {
		lines := []string{}
		for k, found := range v.Violations {
			for _, at := range found.Events {
				lines = append(lines, events[at].String())
			}
			t.Verdicts[i].Violations[k].Events = []int{}
		}
		j.Examples = append(j.Examples, lines)
	}
	j.Verdicts = t.Verdicts
	j.Took = time.Since(begun).Round(time.Millisecond).String()
	return j
}
