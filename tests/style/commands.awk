# commands.awk - the commands of a document, a line each: document, line, section
# (the heading that it stands below), number of the block of commands there (0:
# none), command, with a tab between them.
#
# Commands are the lines of blocks of the kinds sh and console, the indented
# lines and the lines between .nf and .fi that look like one, and what stands in
# backticks, or in bold type in a manual page, in two words or more.  A message in
# backticks looks so, too: the table (commands.tsv) has such texts.

function tell(command) {
	gsub(/[ \t]+/, " ", command)
	sub(/^ /, "", command)
	sub(/ $/, "", command)
	sub(/ # .*/, "", command)
	if (command != "" && command !~ /^#/)
		print FILENAME "\t" at "\t" (section == "" ? "-" : section) "\t" block + 0 "\t" command
}

# A word, and another that does not make of it a key or a member.
function looks(text) {
	return text ~ /^(sudo )?[a-z][A-Za-z0-9._\/+-]*( [^ ]+)+$/ &&
	    text !~ /^[^ ]+ ([={:|]|=>)( |$)/
}

function backticks(   n, part, i) {
	n = split(paragraph, part, "`")
	for (i = 2; i <= n; i += 2)
		if (looks(part[i]) || index(" " alone " ", " " part[i] " "))
			tell(part[i])
	paragraph = ""
}

# A line that goes on behind a backslash.
function whole(line) {
	if (held == "")
		at = FNR
	held = held line
	if (sub(/\\$/, "", held))
		return 0
	line = held
	held = ""
	gsub(/[ \t]+/, " ", line)
	sub(/^ /, "", line)
	logical = line
	return 1
}

BEGIN {
	# Programs that are commands by themselves.
	alone = "date timedatectl packaging/try"
	page = ARGV[1] ~ /\.in$/
}

page {
	gsub(/\\-/, "-")
	gsub(/\\e/, "\\")
	at = FNR
	if (/^\.nf/)
		verbatim = 1
	else if (/^\.fi/)
		verbatim = 0
	else if (/^\.SH /)
		section = substr($0, 5)
	else if (verbatim) {
		if (whole($0) && looks(logical))
			tell(logical)
	} else if (/^\.B[RI]? "/) {
		split($0, part, "\"")
		if (looks(part[2]))
			tell(part[2])
	}
	next
}

# As tests/manual.sh has it: the reason stands there.
/^<!-- not run: / { skipped = 1; next }
/^```/ {
	backticks()
	fence = !fence
	kind = substr($0, 4)
	block = fence && kind ~ /^(sh|console)$/ ? ++blocks : 0
	if (skipped) {
		block = 0
		skipped = fence
	}
	next
}
fence {
	if (block && (kind == "sh" || sub(/^\$ /, "") || held != "") && whole($0))
		tell(logical)
	next
}
/^#+ / {
	backticks()
	section = $0
	sub(/^#+ /, "", section)
	blocks = 0
	next
}
/^$/ { backticks(); blank = 1; next }
/^    / && (blank || indented || held != "") {
	indented = 1
	blank = 0
	if (whole($0) && looks(logical))
		tell(logical)
	next
}
{
	indented = blank = 0
	if (paragraph == "")
		at = FNR
	paragraph = paragraph " " $0
}
END { backticks() }
