#!/bin/sh
# What an operator does before a node of Galera starts: it is given the position that its InnoDB has, it joins the others if some are
# a primary component, and if all nodes are down, the one that has got furthest begins a new component.
#
#   node.sh run       starts the node
#   node.sh answer    tells another node, by socat: "primary", "runs" without a primary component, or "waits" and a sequence number
cd "{{.Dir}}" || exit
grastate=data/grastate.dat
view=data/gvwstate.dat # the last primary component; a node that was stopped, and did not crash, has none

grafield() { sed -n "s/^$1: *//p" $grastate; }

# position prints UUID:SEQNO; nothing on an empty disk.
position() {
	[ -e $grastate ] || return
	if [ "$(grafield seqno)" != -1 ]; then
		echo "$(grafield uuid):$(grafield seqno)"
		return
	fi
	mariadbd --defaults-file=my.cnf --wsrep-recover 2>&1 | sed -n 's/.*Recovered position: *//p'
}

start() {
	echo runs >run/said
	exec mariadbd --defaults-file=my.cnf ${at:+--wsrep_start_position=$at} "$@"
}

bootstrap() {
	rm -f $view
	sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' $grastate
	start --wsrep-new-cluster
}

run() {
	if [ "{{.Vars.recover}}" = 1 ]; then
		at=$(position)
	elif [ -e $view ]; then
		start
	fi
	{{if .Bootstrap}}bootstrap{{end}}
	own=${at##*:}
	echo "waits ${own:--1}" >run/said
	while sleep 0.2; do
		best=$own
		others=down
		for other in {{range .Others}}{{.Index}}:{{.Host}} {{end}}; do
			index=${other%%:*}
			said=$(socat -T2 - TCP:${other#*:}:4569,connect-timeout=1 2>/dev/null </dev/null)
			number=${said#waits }
			case $said in
			primary) start ;;
			runs) others=run ;;
			waits\ *) if [ "$number" -gt "${own:--1}" ] || { [ "$number" = "$own" ] && [ "$index" -lt {{.Index}} ]; }; then best=; fi ;;
			*) best= ;;
			esac
		done
		if [ $others = run ] && [ -e $view ]; then start; fi # together they may be the last component again
		if [ $others = down ] && [ "${best:--1}" -ge 0 ]; then bootstrap; fi
	done
}

answer() {
	said=$(timeout 2 mariadb --no-defaults --user=rejoin --socket=run/socket -N -e "SHOW STATUS LIKE 'wsrep_cluster_status'" 2>/dev/null)
	case $said in
	*Primary) [ "${said%non-Primary}" = "$said" ] && echo primary || echo runs ;;
	*) cat run/said ;;
	esac
}

"$1"
