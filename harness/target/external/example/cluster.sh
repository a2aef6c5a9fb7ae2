#!/bin/sh
# A cluster of three nodes of dbnode on this machine, as an operator's script would drive it.
#
#   cluster.sh reset 3 | start n0 | stop n0 | kill n0 | pause n0 | resume n0 | cut n0 | heal n0 | log n0 | end
#
# DBNODE is the program, DBDIR the folder of all data, DBPORT the first of six ports.
set -eu
: "${DBNODE:?}" "${DBDIR:?}" "${DBPORT:?}"
all="n0 n1 n2"

number() { echo "${1#n}"; }
port() { echo $((DBPORT + $(number "$1"))); }
admin() { echo $((DBPORT + 3 + $(number "$1"))); }
pid() { cat "$DBDIR/$1.pid" 2>/dev/null || true; }

# gone waits until the process has ended; one that nobody has waited for yet has ended too.
gone() {
	while [ -n "$1" ] && kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; do sleep 0.01; done
}

end() { # signal, node
	p=$(pid "$2")
	[ -z "$p" ] || kill "-$1" "$p" 2>/dev/null || true
	gone "$p"
	rm -f "$DBDIR/$2.pid"
}

start() {
	list="" sep=""
	for n in $(cat "$DBDIR/nodes"); do list="$list$sep$n=127.0.0.1:$(port "$n")" sep=","; done
	mkdir -p "$DBDIR/$1"
	"$DBNODE" -name "$1" -dir "$DBDIR/$1" -peers "$list" -cut "$(cut_from "$1")" -admin "127.0.0.1:$(admin "$1")" </dev/null >>"$DBDIR/$1.log" 2>&1 &
	echo $! >"$DBDIR/$1.pid"
}

# cut_from lists the nodes that a node may not reach, each with a comma.
cut_from() {
	for n in $(cat "$DBDIR/nodes"); do
		if [ "$n" != "$1" ] && { [ -e "$DBDIR/$n.cut" ] || [ -e "$DBDIR/$1.cut" ]; }; then printf '%s,' "$n"; fi
	done
}

# tell tells each node that runs which nodes it may not reach. One that starts or resumes later is told then.
tell() {
	for n in "$@"; do
		p=$(pid "$n")
		if [ -n "$p" ] && grep -q '^State:.[^ZT]' "/proc/$p/status" 2>/dev/null; then
			curl -fsS --max-time 5 --retry 20 --retry-connrefused --retry-delay 0 "http://127.0.0.1:$(admin "$n")/cut?peers=$(cut_from "$n")"
		fi
	done
}

case "$1" in
reset)
	for n in $all; do end KILL "$n"; done
	rm -rf "$DBDIR"/n? "$DBDIR"/n?.log "$DBDIR"/n?.cut
	echo $all | cut -d' ' -f"1-$2" >"$DBDIR/nodes"
	for n in $(cat "$DBDIR/nodes"); do start "$n"; done
	;;
end) for n in $all; do end KILL "$n"; done ;;
start) start "$2" ;;
stop) end TERM "$2" ;;
kill) end KILL "$2" ;;
pause)
	kill -STOP "$(pid "$2")"
	until grep -q '^State:.T' "/proc/$(pid "$2")/status"; do sleep 0.01; done
	;;
resume)
	kill -CONT "$(pid "$2")"
	until grep -q '^State:.[^T]' "/proc/$(pid "$2")/status"; do sleep 0.01; done
	tell "$2"
	;;
cut)
	touch "$DBDIR/$2.cut"
	tell $(cat "$DBDIR/nodes")
	;;
heal)
	rm -f "$DBDIR/$2.cut"
	tell $(cat "$DBDIR/nodes")
	;;
log) cat "$DBDIR/$2.log" ;;
*)
	echo "cluster.sh: there is no $1" >&2
	exit 2
	;;
esac
