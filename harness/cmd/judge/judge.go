package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/journal/jepsen"
)

// judge judges one file, prints the result, and returns the exit code.
func judge(name string, o options, in io.Reader, out io.Writer) int {
	events, err := load(name, o, in)
	if err != nil {
		fmt.Fprintf(out, "%s: cannot be judged: %v\n", name, err)
		return notJudgable
	}
	fmt.Fprintf(out, "%s: %d events\n", name, len(events))
	code, judged := sound, false
	rules := o.claims
	if o.budget > 0 {
		rules = append(slices.Clone(rules), check.Availability(o.budget))
	}
	for _, rule := range rules {
		verdict := rule.Judge(events)
		err := verdict.Err()
		if errors.Is(err, check.ErrNothing) {
			if len(verdict.LeftOut) > 0 {
				fmt.Fprintf(out, "  %-24s nothing to judge: %s\n", rule.Name, verdict.Counts())
			}
			continue
		}
		judged = true
		code = worse(code, show(out, rule, verdict))
	}
	if !judged {
		fmt.Fprintf(out, "%s: cannot be judged: %v\n", name, check.ErrNothing)
		return notJudgable
	}
	fmt.Fprintf(out, "%s: %s\n", name, map[int]string{sound: "sound", broken: "BROKEN", notJudgable: "cannot be judged"}[code])
	return code
}

// worse returns the worse of two codes: broken, then not judgable, then sound.
func worse(a, b int) int {
	if a == broken || b == sound {
		return a
	}
	return b
}

// show prints the verdict of a rule, and returns its exit code.
func show(out io.Writer, rule check.Rule, v check.Verdict) int {
	code, word := sound, "ok"
	switch {
	case len(v.Violations) > 0:
		code, word = broken, "BROKEN"
	case v.Err() != nil:
		code, word = notJudgable, "undecided"
		if v.Refused != nil {
			word = "refused"
		}
	}
	fmt.Fprintf(out, "  %-24s %-9s %s\n", rule.Name, word, v.Counts())
	for _, note := range v.Notes {
		fmt.Fprintln(out, "    note:", note)
	}
	for _, found := range v.Violations {
		fmt.Fprintln(out, indented(found.Error()))
	}
	for _, what := range v.Undecided {
		fmt.Fprintln(out, "    undecided:", what)
	}
	if v.Refused != nil {
		fmt.Fprintln(out, indented(v.Refused.Error()))
	}
	return code
}

func indented(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

// load reads a journal or a Jepsen history. It rejects a journal that lost events that matter.
func load(name string, o options, in io.Reader) ([]journal.Event, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	text := bufio.NewReaderSize(in, 1<<16)
	if !isJournal(text) {
		return jepsen.Read(text, jepsen.Options{Level: o.level, Balance: o.balance})
	}
	header, events, err := journal.Load(text)
	if err != nil {
		return nil, err
	}
	return events, check.Gap(header.Dropped)
}

// isJournal distinguishes a JSON object from EDN: its first key is a string.
func isJournal(text *bufio.Reader) bool {
	begin, _ := text.Peek(4096) // a read error occurs again when the whole file is read
	begin = bytes.TrimLeftFunc(begin, unicode.IsSpace)
	rest, is := bytes.CutPrefix(begin, []byte("{"))
	rest = bytes.TrimLeftFunc(rest, unicode.IsSpace)
	return is && (bytes.HasPrefix(rest, []byte(`"`)) || bytes.HasPrefix(rest, []byte("}")))
}
