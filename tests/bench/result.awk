# result.awk - the rows of meter become one line of results, of the program
# named by name that moved n events to the file sink:
#
#	NAME EVENTS/S CPU-S-PER-MILLION PSS-PEAK PSS-IDLE WIRE DISK (MB)

function close_round() {
	if (pss > peak)
		peak = pss
	if (pss > 0)
		last_pss = pss
	if (disk > most_disk)
		most_disk = disk
	# CPU half a second behind the last byte, when all is settled.
	if (grown > 0 && at >= grown + 0.5 && settled < grown) {
		settled = at
		total = cpu
	}
	pss = cpu = disk = 0
}

$1 != at {
	close_round()
	at = $1
}
$2 == sink {
	if ($5 > kib) {
		# The first bytes may be those of the agent's own feed.
		if ($5 > 64 && first_kib == 0) {
			first = $1
			first_kib = $5
		}
		kib = $5
		grown = $1
	}
	next
}
index($2, store) == 1 {
	disk += $5
	next
}
$2 !~ "/" {
	cpu += $4
	pss += $5
}
END {
	close_round()
	rate = grown > first ? n * (kib - first_kib) / kib / (grown - first) : 0
	printf "%s\t%.0f\t%.3f\t%.2f\t%.2f\t%.2f\t%.2f\n", name, rate,
	    total * 1e6 / n, peak / 1024, last_pss / 1024, wire / 1e6,
	    most_disk * 1024 / 1e6
}
