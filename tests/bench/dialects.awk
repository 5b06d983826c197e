# dialects.awk - the results of tests/bench/dialects, a row for each program:
# medians over the rounds, and how many times it costs what the cheapest peer
# with the same compression, or protocol, does, round by round.

function sorted(list, out,    n, i, j, t) {
	n = split(list, out, " ")
	for (i = 2; i <= n; i++) {
		t = out[i] + 0
		for (j = i - 1; j > 0 && out[j] + 0 > t; j--)
			out[j + 1] = out[j]
		out[j + 1] = t
	}
	return n
}
function median(list,    v, n) {
	n = sorted(list, v)
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
function range(list,    v, n) {
	n = sorted(list, v)
	return sprintf("%.2f–%.2f", v[1], v[n])
}

{
	k = $1 "\t" $2
	if (!(k in cpu))
		order[++rows] = k
	cpu[k] = cpu[k] " " $3
	wire[k] = $4
	pss[k] = pss[k] " " $6
	if (k in events && $5 != events[k])
		print "dialects.awk: " $2 ": other events than before" >"/dev/stderr"
	events[k] = $5
}
END {
	for (i = 1; i <= rows; i++) {
		split(order[i], part, "\t")
		if (part[2] ~ /^(rsyslog|syslog-ng)/ && (!(part[1] in best) ||
		    median(cpu[order[i]]) < median(best[part[1]])))
			best[part[1]] = cpu[order[i]]
	}
	for (i = 1; i <= rows; i++) {
		k = order[i]
		split(k, part, "\t")
		n = split(cpu[k], mine, " ")
		split(best[part[1]], theirs, " ")
		ratios = ""
		for (j = 1; j <= n && theirs[j] > 0; j++)
			ratios = ratios " " mine[j] / theirs[j]
		printf "| %s | %s | %.2f | %s | %.1f | %.1f | %s |\n",
		    part[1] == "true" ? "yes" : "no", part[2], median(cpu[k]),
		    range(cpu[k]), wire[k], median(pss[k]),
		    ratios == "" ? "" : sprintf("%.2f", median(ratios))
	}
}
