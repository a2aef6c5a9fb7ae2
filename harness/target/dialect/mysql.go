package dialect

// MySQLMode is the sql_mode that the translations of MySQL and MariaDB need, on every connection.
const MySQLMode = "ANSI,NO_BACKSLASH_ESCAPES,NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES"

// MySQL returns the dialect of MySQL 8. A namespace is a database, and a change of the schema commits by itself. Connections
// need MySQLMode, a current database, in which Setup makes functions, and rows that were found but not changed must count
// (clientFoundRows of github.com/go-sql-driver/mysql).
func MySQL() *Family {
	return &Family{
		Name:            "MySQL",
		CreateNamespace: "CREATE DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin", Cascade: "DROP DATABASE %s",
		Types: map[string]string{
			"INTEGER": "BIGINT", "INT": "BIGINT", "REAL": "DOUBLE", "FLOAT": "DOUBLE", "TEXT": "LONGTEXT", "BLOB": "LONGBLOB",
		},
		Casts:   map[string]string{"INTEGER": "SIGNED", "INT": "SIGNED", "REAL": "DOUBLE", "TEXT": "CHAR", "BLOB": "BINARY"},
		KeyText: "VARCHAR(255)",
		Serial:  "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
		Blob:    "x'%s'",
		Functions: map[string]string{
			"hex": "hex", "ifnull": "ifnull", "instr": "instr", "group_concat": "group_concat", "random": "(floor(rand() * 9007199254740992))",
			"randomblob": "randomblob", "unixepoch": "unix_timestamp", "zeroblob": "zeroblob",
		},
		Reserved:      []string{"sql"},
		SchemaCommits: true,
		IndexTable:    "SELECT table_name FROM information_schema.statistics WHERE table_schema = %s AND index_name = %s LIMIT 1",
		Same:          "<=>",
		Setup: []string{
			`CREATE FUNCTION IF NOT EXISTS zeroblob(n BIGINT) RETURNS LONGBLOB DETERMINISTIC NO SQL RETURN repeat(x'00', n)`,
			`CREATE FUNCTION IF NOT EXISTS randomblob(n BIGINT) RETURNS LONGBLOB NOT DETERMINISTIC NO SQL BEGIN
				DECLARE b LONGBLOB DEFAULT x'';
				WHILE length(b) < n AND length(b) < 1024 DO SET b = concat(b, unhex(md5(rand()))); END WHILE;
				RETURN left(repeat(b, n DIV 1024 + 1), n);
			END`,
			// Without subqueries, each of which would open every table again.
			`CREATE OR REPLACE VIEW sqlite_schema AS
			SELECT 'table' AS type, concat(t.table_schema, '.', t.table_name) AS name, concat(t.table_schema, '.', t.table_name) AS tbl_name,
				concat('CREATE TABLE ', t.table_name, ' (', group_concat(c.column_name, ' ', if(c.data_type = 'bigint', 'INTEGER', upper(c.data_type))
					ORDER BY c.ordinal_position SEPARATOR ', '), ')') AS "sql"
			FROM information_schema.tables t JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name
			WHERE t.table_type = 'BASE TABLE' AND t.table_schema NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
			GROUP BY t.table_schema, t.table_name
			UNION ALL
			SELECT DISTINCT 'index', concat(s.table_schema, '.', s.index_name), concat(s.table_schema, '.', s.table_name),
				if(s.index_name = 'PRIMARY' OR k.constraint_name IS NOT NULL, NULL, concat('CREATE INDEX ', s.index_name))
			FROM information_schema.statistics s LEFT JOIN information_schema.table_constraints k
				ON k.table_schema = s.table_schema AND k.table_name = s.table_name AND k.constraint_name = s.index_name
			WHERE s.table_schema NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')`,
		},
	}
}

// MariaDB returns the dialect of MariaDB 10.5 and later, which is that of MySQL with more. Connections also need
// max_recursive_iterations above 10,000.
func MariaDB() *Family {
	f := MySQL()
	f.Name = "MariaDB"
	f.CreateNamespace = "CREATE DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
	f.Returning = []string{"INSERT", "REPLACE", "DELETE"}
	f.TextDefaults = false
	return f
}
