# soak.awk - the table of a soak, and whether something grew.
#
# Reads the notes (SECOND STORE LAG UNDELIVERED) and then the rows of meter.
# The first fifth of the time is for warming up; of the rest the quarters'
# medians are compared.  Status 1: memory or descriptors grew each time, by
# more than a tenth and by more than GROWN in all.

function median(list,   v, n, i, j, t) {
	n = split(list, v, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return v[int((n + 1) / 2)] + 0
}

function quarter(at) {
	return int((at - seconds / 5) / (seconds * 4 / 5) * 4) + 1
}

function close_round() {
	if (round != "" && round >= seconds / 5 && quarter(round) <= 4) {
		total[quarter(round)] = total[quarter(round)] " " pss / 1024
		files[quarter(round)] = files[quarter(round)] " " fds
	}
	if (pss > peak)
		peak = pss
	pss = fds = 0
}

function grows(list, name, grown,   i) {
	for (i = 2; i <= 4; i++)
		if (list[i] <= list[i - 1])
			return 0
	if (list[4] - list[1] <= grown || list[4] <= list[1] * 1.1)
		return 0
	printf "%s grew from quarter to quarter: %.1f %.1f %.1f %.1f\n", name,
	    list[1], list[2], list[3], list[4]
	return 1
}

FNR == 1 { file++ }
file == 1 {
	if ($1 >= seconds / 5 && (q = quarter($1)) <= 4) {
		store[q] = store[q] " " $2 / 1e6
		lag[q] = lag[q] " " $3
		old[q] = old[q] " " $4
	}
	next
}
$2 == "(ended)" { next }
$1 != round {
	close_round()
	round = $1
}
{
	pss += $5
	fds += $6
	if ($1 >= seconds / 5 && (q = quarter($1)) <= 4) {
		role[$2, q] = role[$2, q] " " $5 / 1024
		names[$2] = 1
	}
}
END {
	close_round()
	printf "%-22s %8s %8s %8s %8s\n", "medians of the quarters", 1, 2, 3, 4
	for (q = 1; q <= 4; q++) {
		memory[q] = median(total[q])
		open[q] = median(files[q])
	}
	printf "%-22s %8.1f %8.1f %8.1f %8.1f\n", "PSS of all, MB", memory[1],
	    memory[2], memory[3], memory[4]
	for (n in names)
		printf "  %-20s %8.1f %8.1f %8.1f %8.1f\n", n,
		    median(role[n, 1]), median(role[n, 2]),
		    median(role[n, 3]), median(role[n, 4])
	printf "%-22s %8d %8d %8d %8d\n", "descriptors", open[1], open[2],
	    open[3], open[4]
	printf "%-22s %8.1f %8.1f %8.1f %8.1f\n", "store, MB",
	    median(store[1]), median(store[2]), median(store[3]),
	    median(store[4])
	printf "%-22s %8.1f %8.1f %8.1f %8.1f\n", "feed lag, s",
	    median(lag[1]), median(lag[2]), median(lag[3]), median(lag[4])
	printf "%-22s %8.1f %8.1f %8.1f %8.1f\n", "oldest undelivered, s",
	    median(old[1]), median(old[2]), median(old[3]), median(old[4])
	printf "peak PSS of all %.1f MB\n", peak / 1024
	exit grows(memory, "memory", 2) + grows(open, "descriptors", 4) > 0
}
