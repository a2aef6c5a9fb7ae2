package galera

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rejoin-db/rejoin/harness/target/proc"
)

// setup makes the database in which the kit has its functions, and the user of the tests, and ends the server.
const setup = `CREATE DATABASE IF NOT EXISTS rejoin CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE USER IF NOT EXISTS rejoin@'%'; GRANT ALL ON *.* TO rejoin@'%' WITH GRANT OPTION; SHUTDOWN`

// Prepare makes a database in an empty folder, for Options.Disk. Each node of a cluster begins with a copy: all have the same
// position in the same history, so that none needs the whole state of another one. It blocks until mariadb-install-db and
// a cluster of one node, in a network of its own, have ended.
func Prepare(ctx context.Context, disk string) error {
	data, run := filepath.Join(disk, "data"), filepath.Join(disk, "run")
	server := []string{
		"mariadbd", "--no-defaults", "--user=mysql", "--datadir=" + data, "--socket=" + run + "/socket", "--skip-networking",
		"--innodb-log-file-size=16M", "--innodb-buffer-pool-dump-at-shutdown=OFF", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
		"--wsrep-on=ON", "--wsrep-new-cluster", "--wsrep-provider=" + provider, "--wsrep-cluster-name=rejoin",
		"--wsrep-cluster-address=gcomm://", "--wsrep-node-address=127.0.0.1", "--wsrep-provider-options=gcache.size=1M",
	}
	say := func(ctx context.Context) error {
		return output(ctx, "mariadb", "--no-defaults", "--user=root", "--socket="+run+"/socket", "--execute="+setup)
	}
	err := output(ctx, "install", "-d", "-o", "mysql", "-m", "700", data, run)
	if err == nil {
		err = output(ctx, "mariadb-install-db", "--no-defaults", "--user=mysql", "--datadir="+data, "--skip-test-db", "--skip-name-resolve",
			"--auth-root-authentication-method=normal", "--innodb-log-file-size=16M")
	}
	if err == nil {
		err = during(ctx, server, say)
	}
	if err != nil {
		return fmt.Errorf("prepare a database in %s: %w", disk, err)
	}
	return errors.Join(os.Remove(filepath.Join(data, "galera.cache")), os.RemoveAll(run))
}

// during does what it is given, again until it succeeds, while a program runs in a network of its own, and waits for the end of
// the program.
func during(ctx context.Context, program []string, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() {
		err := output(ctx, "unshare", append([]string{"--net"}, program...)...)
		cancel(err)
		ended <- err
	}()
	err := proc.Until(ctx, do)
	if err != nil {
		cancel(err)
	}
	return errors.Join(err, <-ended)
}

// output runs a program, and has what it said in the error.
func output(ctx context.Context, name string, args ...string) error {
	if said, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return nil
}
