# plot.awk - a soak as a small SVG: memory of each process, descriptors, the
# store's size, lag.  Reads the notes and then the rows of meter, as soak.awk.

function point(panel, line, x, y) {
	if (!((panel, line) in points))
		lines[panel] = lines[panel] (lines[panel] == "" ? "" : SUBSEP) line
	points[panel, line] = points[panel, line] x "," y " "
	if (y > high[panel])
		high[panel] = y
	if (x > end)
		end = x
}

# Scale the points of one line.
function scaled(list, panel,   n, i, part, xy, out) {
	n = split(list, part, " ")
	for (i = 1; i <= n; i++) {
		split(part[i], xy, ",")
		out = out sprintf("%.1f,%.1f ", left + xy[1] / end * width,
		    top + height - xy[2] / (high[panel] * 1.05) * height)
	}
	return out
}

function panel(name, label,   names, n, i, colour) {
	if (high[name] == 0)
		high[name] = 1
	printf "<text x='%d' y='%d'>%s</text>\n", left, top - 6, label
	printf "<rect x='%d' y='%d' width='%d' height='%d' fill='none' stroke='#bbb'/>\n",
	    left, top, width, height
	printf "<text x='%d' y='%d' text-anchor='end'>%.4g</text>\n", left - 4,
	    top + 10, high[name] * 1.05
	printf "<text x='%d' y='%d' text-anchor='end'>0</text>\n", left - 4,
	    top + height
	n = split(lines[name], names, SUBSEP)
	for (i = 1; i <= n; i++) {
		colour = palette[(i - 1) % 8 + 1]
		printf "<polyline fill='none' stroke='%s' points='%s'/>\n",
		    colour, scaled(points[name, names[i]], name)
		printf "<text x='%d' y='%d' fill='%s'>%s</text>\n",
		    left + width + 8, top + 12 * i, colour, names[i]
	}
	top += height + 34
}

FNR == 1 { file++ }
file == 1 {
	point("store", "used", $1, $2 / 1e6)
	point("lag", "behind the vendor", $1, $3)
	point("lag", "oldest undelivered", $1, $4)
	next
}
$2 == "(ended)" { next }
$1 != round {
	if (round != "") {
		point("pss", "all", round, pss)
		point("fds", "all", round, fds)
	}
	round = $1
	pss = fds = 0
}
{
	point("pss", $2, $1, $5 / 1024)
	pss += $5 / 1024
	fds += $6
}
END {
	split("#c00 #06c #090 #c70 #70c #099 #555 #a05", palette, " ")
	left = 60; top = 40; width = 640; height = 130
	print "<svg xmlns='http://www.w3.org/2000/svg' width='880' height='700'" \
	    " font-family='sans-serif' font-size='11'>"
	print "<rect width='880' height='700' fill='white'/>"
	printf "<text x='60' y='16' font-size='13'>sealfeed, %s with faults, %.1f minutes</text>\n",
	    load, end / 60
	panel("pss", "PSS, MB")
	panel("fds", "descriptors")
	panel("store", "store, MB")
	panel("lag", "lag, s")
	print "</svg>"
}
