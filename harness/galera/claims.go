package galera

import "github.com/rejoin-db/rejoin/harness/target"

// claims are what the makers say of the settings.
func (o Options) claims() []target.Claim {
	return []target.Claim{
		{Promise: target.Recency, Made: !o.StaleReads, Source: "MariaDB, Galera Cluster System Variables, wsrep_sync_wait"},
		{
			Promise: target.CrashDurability, Made: !o.LazyFlush && !o.Unrecovered,
			Source: "MariaDB, InnoDB System Variables, innodb_flush_log_at_trx_commit; Recovering a Primary Component",
		},
		{Promise: target.OneWriter, Made: true, Source: "MariaDB, Understanding Quorum, Monitoring, and Recovery: only a majority processes queries"},
		{Promise: target.Durability, Made: true, Source: "MariaDB, What is MariaDB Galera Cluster: no lost transactions"},
	}
}
