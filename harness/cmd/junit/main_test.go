package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const saved = `[{"SuitePath":"/src","SuiteDescription":"Shop","SuiteSucceeded":false,"SpecReports":[
{"LeafNodeType":"It","LeafNodeText":"sells","State":"failed",
"Failure":{"Message":"no tea","Location":{"FileName":"/src/shop_test.go","LineNumber":5}}}]}]`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	in, to, summary := filepath.Join(dir, "report.json"), filepath.Join(dir, "junit.xml"), filepath.Join(dir, "summary.md")
	if err := os.WriteFile(in, []byte(saved), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := run([]string{"-o", to, "-root", "/src", "-p", "target=local", in}, &out, func(name string) string {
		return map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{to: `<property name="target" value="local">`, summary: "sells: no tea"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), want) {
			t.Errorf("%s lacks %s:\n%s", name, want, content)
		}
	}
	if got := out.String(); got != "::error file=shop_test.go,line=5,title=sells::no tea\n" {
		t.Error(got)
	}
}

func TestErrors(t *testing.T) {
	for _, args := range [][]string{nil, {filepath.Join(t.TempDir(), "absent.json")}, {"-p", "target", "x"}} {
		if err := run(args, &strings.Builder{}, func(string) string { return "" }); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}
