#!/bin/bash
# layers.sh - arrows run downwards only: no room includes one above or beside
# it, and no two modules include each other.
#
# The rooms stand in the order of the README's picture, lowest first; rooms on
# one line do not know of each other.  A module is a .c with its headers.
set -euo pipefail
export LC_ALL=C
cd "${1:-"${0%/*}/../.."}"

rooms="base
config
store
evidence http
delivery verify sandbox
sources outputs
collect seal ship watch
run
setup
cmd
main"

find agent outputs -name '*.[ch]' -type f | sort | xargs awk -v rooms="$rooms" '
function room_of(path) {
	sub(/^agent\//, "", path)
	return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "main"
}
function module_of(path) {
	sub(/\.[ch]$/, "", path)
	sub(/_private$/, "", path)
	return path
}
function wrong(what) {
	print "layers: " what
	failed = 1
}
# Go along the includes; path[1..depth] is the way to here.
function visit(m, depth, i, n, to, k, circle) {
	if (state[m] == 2)
		return
	state[m] = 1
	path[depth] = m
	n = split(edges[m], to, " ")
	for (i = 1; i <= n; i++) {
		if (state[to[i]] == 1) {
			circle = to[i]
			for (k = depth; path[k] != to[i]; k--)
				circle = path[k] " -> " circle
			wrong("a circle: " to[i] " -> " circle)
		} else {
			visit(to[i], depth + 1)
		}
	}
	state[m] = 2
}
BEGIN {
	n = split(rooms, line, "\n")
	for (i = 1; i <= n; i++) {
		k = split(line[i], names, " ")
		for (j = 1; j <= k; j++)
			rank[names[j]] = i
	}
	for (i = 1; i < ARGC; i++)
		exists[ARGV[i]] = 1
}
/^#include "/ {
	split($0, part, "\"")
	to = part[2] ~ /^outputs\// ? part[2] : "agent/" part[2]
	if (to ~ /\.inc$/)
		next
	here = room_of(FILENAME)
	there = room_of(to)
	at = FILENAME ":" FNR ": "
	if (!(to in exists)) {
		wrong(at "\"" part[2] "\" is spelled in another way than from agent/ or the top")
		next
	}
	if (!(here in rank))
		wrong(at "the room " here " has no place in the order")
	if (here != there && rank[there] >= rank[here])
		wrong(at here " includes " part[2] ", which is not below it")
	from = module_of(FILENAME)
	to = module_of(to)
	if (from != to && !((from, to) in seen)) {
		seen[from, to] = 1
		edges[from] = edges[from] " " to
		modules[++n_modules] = from
	}
}
END {
	for (i = 1; i <= n_modules; i++)
		visit(modules[i], 1)
	exit failed
}' || exit 1
