# Each target is one line over a Go command; the README shows the same lines. go tool live shows how far the command is.

$(if $(HOME)$(GOCACHE),,$(error Go needs a folder for what it builds: set HOME, or GOCACHE and GOPATH))

.PHONY: specs virtual process hosts dqlite patroni galera rqlite kalamdb test lint platforms bench cluster chaos defects findings mutants replay

specs: ## the main job: the suite on three nodes in this process
	go tool live go tool ginkgo -p .

virtual: ## the same specs in virtual time, exactly as their seed says
	REJOIN_TARGET=virtual GODEBUG=asyncpreemptoff=1 go tool live go run ./harness/cmd/exact go tool ginkgo -p .

process: ## the same specs on nodes that are processes of their own
	REJOIN_TARGET=process go tool live go tool ginkgo -p .

hosts: ## the same specs on the same processes, each on a host of its own; needs Linux
	REJOIN_TARGET=hosts go tool live go tool ginkgo -p .

dqlite: ## the suite on dqlite; needs: apt-get install libdqlite-dev libraft-dev libsqlite3-dev
	REJOIN_TARGET=dqlite REJOIN_LABEL_FILTER='!finding' go tool live -C harness/dqlite go tool ginkgo --procs=4 .

patroni: ## the suite on PostgreSQL with Patroni; needs root, and: apt-get install postgresql-15 patroni etcd-server haproxy
	REJOIN_TARGET=patroni REJOIN_LABEL_FILTER='!finding' go tool live -C harness/patroni go tool ginkgo --procs=3 --timeout=2h .

galera: ## the suite on MariaDB with Galera; needs root, and: apt-get install mariadb-server galera-4 rsync socat
	REJOIN_TARGET=galera REJOIN_LABEL_FILTER='!finding' go tool live -C harness/galera go tool ginkgo --procs=3 --timeout=2h .

rqlite: ## the suite on any rqlited: make rqlite RQLITED=/usr/local/bin/rqlited
	REJOIN_TARGET=rqlite RQLITED="$(RQLITED)" REJOIN_LABEL_FILTER='!finding' go tool live -C harness/rqlite go test . -timeout 0

kalamdb: ## the suite on any kalamdb-server: make kalamdb KALAMDB=/usr/local/bin/kalamdb-server; needs: apt-get install haproxy
	REJOIN_TARGET=kalamdb KALAMDB="$(KALAMDB)" REJOIN_LABEL_FILTER='!finding' go tool live -C harness/kalamdb go test . -timeout 0

test: ## everything, with the race detector; the reports are reports/report.json and reports/junit.xml
	go tool ginkgo -r -p --race --ldflags='-s -w' --randomize-all --keep-going --json-report=report.json --output-dir=reports; \
	ended=$$?; go tool junit -o reports/junit.xml reports/report.json; exit $$ended

lint: ## go vet is one of its linters
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run

platforms: ## the kit builds on macOS and Windows without cgo, and the node has no type errors there
	go run ./harness/cmd/platforms

bench: ## medians, as a table and in reports/bench.json; some of them: make bench FOCUS="child processes"; of another database: make bench TARGET=dqlite
	$(if $(TARGET),REJOIN_TARGET=$(TARGET) REJOIN_LABEL_FILTER=bench go tool live -C harness/$(TARGET) go test -tags bench -timeout 0 -v .,go tool live go tool ginkgo --tags bench --timeout=2h $(if $(FOCUS),--focus="$(FOCUS)") ./harness/bench)

cluster: ## three nodes, and a page to play with them; on another target: make cluster TARGET=process, hosts, dqlite, …, or one of ginkgo.yml
	$(if $(wildcard harness/$(TARGET)/cluster/main.go),\
		cd harness/$(TARGET) && go build -o ../../reports/cluster-$(TARGET) ./cluster && exec ../../reports/cluster-$(TARGET) $(ARGS),\
		go build -o reports/cluster ./harness/cmd/cluster && exec reports/cluster $(if $(TARGET),-rejoin.target=$(TARGET)) $(ARGS))

chaos: ## schedules of faults until one breaks a promise; find one again: make chaos SEED=17 TARGET=local FOR=5m
	go tool live go run ./harness/cmd/exact go run ./harness/cmd/chaos -seed $(or $(SEED),0) -for $(or $(FOR),1m) -target $(or $(TARGET),virtual)

replay: ## a spec or a schedule again, as a failure prints it: make replay SEED=17 SPEC='…' JOURNAL=file, or CHAOS=1 SEED=17
	@go build -o reports/replay ./harness/cmd/replay
	@exec reports/replay $(if $(SEED),-seed "$$SEED") $(if $(SPEC),-spec "$$SPEC") $(if $(CHAOS),-chaos) $(if $(WITHOUT),-without "$$WITHOUT") $(if $(JOURNAL),-journal "$$JOURNAL") $(if $(INTERLEAVE),-interleave "$$INTERLEAVE") $(if $(YIELD),-yield "$$YIELD") $(if $(DEFECT),-defect "$$DEFECT") $(if $(RUNS),-runs "$$RUNS") $(if $(WHERE),-where)

defects: ## the suite, once for each planted bug, up to the spec that catches it; the table: make defects WRITE=1; of all specs: ALL=1
	go tool live go run ./harness/cmd/defects $(if $(ALL),-all) $(if $(ALL)$(WRITE),-write harness/defects/README.md)

findings: ## what was found in other databases, shown again: make findings ONLY=dqlite; into README.md: make findings WRITE=1
	go tool live go run ./harness/cmd/findings $(if $(ONLY),-only $(ONLY)) $(if $(WRITE),-write README.md)

mutants: ## small mistakes in the harness and the node, and whether the suite or unit tests notice: make mutants NUMBER=50 SEED=7
	go run ./harness/cmd/mutants $(if $(NUMBER),-number $(NUMBER)) $(if $(SEED),-seed $(SEED))
