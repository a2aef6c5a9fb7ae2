// Package findings declares specs that show again what was seen of a database that somebody else makes.
//
//	findings.Of("mydb", "1.4.2") // once, before the first spec runs
//
//	var _ = findings.It(findings.Finding{
//		Title:   "acknowledged writes are lost when the primary is isolated",
//		Setting: "defaults", Layer: findings.Server, Claim: "a commit is durable (manual, section 4)",
//	}, func(ctx SpecContext, show *findings.Show) {
//		cluster := show.Cluster(ctx, mydb)
//		…
//		if lost > 0 {
//			show.Seen("%d of %d acknowledged writes are lost", lost, all)
//		}
//	})
//
// A finding breaks a claim of the makers. What they document as not promised is Expected, and counted apart. A spec passes if it
// calls Show.Seen, and fails with "not seen" if it does not. Each adds a Record to Ginkgo's report, as JSON and in words. Command
// findings runs them all and makes a table of the records.
package findings
