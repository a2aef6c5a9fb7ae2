// Package junit writes Ginkgo's reports as JUnit XML, so that Jenkins, GitLab and GitHub show them well:
//
//   - a class is a spec file (specs.links for specs/links.go), and a test is named by its promise, the texts of the spec. Labels are
//     no part of the name: a new label does not lose the history of a test
//   - file, line and labels of a test are lines [[PROPERTY|name=value]] of its output, and files that it wrote are lines
//     [[ATTACHMENT|path]]
//   - a test that is skipped says why
//   - the XML is valid by the strict schema of Jenkins' xUnit plugin (junit-10.xsd), which Ginkgo's own is not
//
// GitHub shows the annotations and the summary that package github writes.
package junit
