#!/bin/sh
# What an operator does before a node of Galera starts. It is given the position that its InnoDB has. It joins the others if some are
# a primary component. If all members of its last component are there, that forms again by itself. If a node has survived, and more than
# half of those members are there, it makes the survivor a primary component. If all nodes are there, and none is in a primary
# component, the one that has got furthest begins a new one.
#
# Then it helps a node that runs. If it is connected to more than half of the members of its last component, which is the last one of
# those too, and they stay without a primary one, it makes them one. If it has left the group while others are a primary component, it starts again, as its log demands:
# "node restart required".
#
#   node.sh run       starts the node
#   node.sh answer    tells another node, by socat: "primary", "runs SEQNO VIEW" without a primary component, or "waits SEQNO VIEW"
cd "{{.Dir}}" || exit
grastate=data/grastate.dat
gvwstate=data/gvwstate.dat # the last primary component; a node that was stopped, and did not crash, has none

grafield() { sed -n "s/^$1: *//p" $grastate; }
members() { grep -c ^member: $gvwstate 2>/dev/null; }
most_of_view() { [ $((together * 2)) -gt "$(members)" ]; }
view() { sed -n 's/^view_id: *[0-9]* *\([^ ]*\) */\1-/p' $gvwstate 2>/dev/null; }

# position prints UUID:SEQNO; nothing on an empty disk, and after a crash if it is not to be recovered.
position() {
	[ -e $grastate ] || return
	if [ "$(grafield seqno)" != -1 ]; then
		echo "$(grafield uuid):$(grafield seqno)"
	elif [ "{{.Vars.recover}}" = 1 ]; then
		mariadbd --defaults-file=my.cnf --wsrep-recover 2>&1 | sed -n 's/.*Recovered position: *//p'
	fi
}

# start runs MariaDB until its end, and helps it and a node that joins while the primary component is lost which it saw.
start() {
	echo "runs ${own:--1}" >run/said
	mariadbd --defaults-file=my.cnf ${at:+--wsrep_start_position=$at} "$@" &
	mariadbd=$! calm=0 stops= lost=0 apart=0
	trap 'stops=yes; kill -TERM $mariadbd' TERM
	while [ -z "$stops" ] && kill -0 $mariadbd 2>/dev/null; do
		sleep 1 &
		wait $! # which a signal ends
		case $(answer) in
		primary) calm=0 lost=0 apart=0 ;;
		*)
			view=$(view) size=$(variable wsrep_cluster_size)
			look
			# Who shares the last component that this node saw has not been in a later one.
			if [ -z "$primary" ] && [ -n "$view" ] && most_of_view && [ "${size:-0}" -ge $together ]; then apart=$((apart + 1)); else apart=0; fi
			[ $apart -lt 5 ] || promote {{.Host}}
			if [ -n "$primary" ] && left; then lost=$((lost + 1)); else lost=0; fi
			[ $lost -lt 5 ] || kill -TERM $mariadbd
			if [ -z "$primary" ] && [ $calm -gt 4 ] && [ "$ran" -ge "$most" ]; then promote "$furthest"; fi
			;;
		esac
	done
	ended
	if [ -z "$stops" ] && [ $lost -ge 5 ]; then exec sh node.sh run; fi
	exit $code
}

# left tells whether MariaDB serves, and is connected to no other node: it does not join them by itself.
left() { [ "$(variable wsrep_connected)" = OFF ]; }
variable() { ask "SELECT variable_value FROM information_schema.global_status WHERE variable_name = '$1'"; }

# ask has MariaDB of this node answer.
ask() { timeout 2 mariadb --no-defaults --user=rejoin --socket=run/socket -N 2>/dev/null -e "SET wsrep_dirty_reads = 1; $1"; }

# ended waits for the end of MariaDB, also while signals come.
ended() {
	code=0
	while kill -0 $mariadbd 2>/dev/null; do
		wait $mariadbd
		code=$?
	done
}

bootstrap() {
	rm -f $gvwstate
	[ ! -e $grastate ] || sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' $grastate
	start --wsrep-new-cluster
}

# form begins a new cluster whose nodes all have the same disk: as the members of one component, which forms when all are there. Their
# positions are equal, so that none needs a state transfer.
form() {
	cat >$gvwstate <<-END
		my_uuid: {{template "uuid" .}}
		#vwbeg
		view_id: 3 {{with index .Nodes 0}}{{template "uuid" .}}{{end}} 1
		bootstrap: 0
		{{range .Nodes}}member: {{template "uuid" .}} 0
		{{end}}#vwend
	END
	start
}
{{define "uuid"}}{{printf "%08d" .Index}}-0000-1000-8000-000000000000{{end}}
# promote makes the component of another node, whose SQL is at $1, a primary one.
promote() { mariadb --no-defaults --connect-timeout=1 --user=rejoin --host="$1" -e "SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'"; }

# look asks the others.
look() {
	first=yes lowest=yes most=$own ran=-2 furthest= survivor= primary= together=1 calm=$((calm + 1))
	for other in {{range .Others}}{{.Index}}:{{.Host}} {{end}}; do
		index=${other%%:*} host=${other#*:}
		set -- $(socat -T2 - TCP:$host:4569,connect-timeout=1 2>/dev/null </dev/null)
		case $1 in
		primary) primary=yes ;;
		runs)
			[ "$2" -le "$ran" ] || ran=$2 furthest=$host
			[ "$3" != "$view" ] || survivor=$host
			;;
		waits)
			[ "$2" -le "$most" ] || most=$2
			[ "$index" -gt {{.Index}} ] || lowest=
			if [ "$2" -gt "$own" ] || { [ "$2" = "$own" ] && [ "$index" -lt {{.Index}} ]; }; then first=; fi
			;;
		*) calm=0 ;;
		esac
		[ "$3" != "$view" ] || together=$((together + 1))
	done
}

run() {
	at=$(position)
	own=${at##*:}
	[ -n "$own" ] || [ ! -e $grastate ] || own=0
	own=${own:--1}
	{{if not .Others}}bootstrap{{else if .Forming}}{{if not .First}}form{{else if .Bootstrap}}bootstrap{{end}}{{end}}
	view=$(view)
	echo "waits $own" >run/said
	calm=0 # how often all others have answered
	while sleep 0.2; do
		look
		[ -z "$primary" ] || start
		if [ -n "$view" ] && [ $together = "$(members)" ]; then start; fi
		if [ -n "$view" ] && [ -n "$survivor" ] && [ -n "$lowest" ] && most_of_view; then promote "$survivor"; fi
		if [ -z "$furthest" ] && [ $calm -gt 0 ] && [ -n "$first" ] && [ "$own" -ge 0 ]; then bootstrap; fi
		[ $calm -gt 10 ] || continue
		if [ "$ran" -ge "$most" ]; then
			[ -z "$lowest" ] || promote "$furthest"
		elif [ -n "$first" ] && [ "$own" -ge 0 ]; then
			bootstrap
		fi
	done
}

answer() {
	set -- $(ask "SELECT variable_value FROM information_schema.global_status
		WHERE variable_name IN ('wsrep_cluster_status', 'wsrep_last_committed') ORDER BY variable_name")
	case $1 in
	non-Primary) echo "runs $2 $(view)" ;;
	Primary) echo primary ;;
	*) echo "$(cat run/said) $(view)" ;;
	esac
}

"$1"
