# manual.awk - turns a manual in Markdown into a shell script that does what it
# tells the reader to do (tests/manual.sh has the conventions).

# The text as one word for the shell.
function quote(text) {
	gsub(/'/, "'\\''", text)
	return "'" text "'"
}

function wrong(what) {
	print "manual: " FILENAME ":" FNR ": " what >"/dev/stderr"
	failed = 1
}

# A command of a console block and what it shows.
function finish_command() {
	if (command != "")
		print "shown " at " " quote(command) " " quote(expected)
	command = expected = ""
}

function finish_block() {
	if (kind == "console" && !skipped)
		finish_command()
	else if (kind == "sh" && !skipped)
		print "done_well " at " " quote(text)
	kind = text = ""
	skipped = 0
}

FNR == 1 { kind = "" }

kind == "hidden" {
	if (/^-->$/) {
		print "done_well " at " " quote(text)
		kind = text = ""
	} else
		text = text $0 "\n"
	next
}

kind == "" && /^<!-- test$/ { kind = "hidden"; at = FNR; next }
kind == "" && /^<!-- not run: .* -->$/ { skipped = 1; next }
kind == "" && /^<!-- not run/ { wrong("it is not said why") }
kind == "" && /^```/ {
	kind = substr($0, 4)
	at = FNR
	if (kind == "")
		wrong("a block of no kind; sh and console are run, text is not")
	next
}
/^```$/ { finish_block(); next }

# Behind a backslash the command goes on.
kind == "console" && /^\$ / || continued {
	if (!continued) {
		finish_command()
		at = FNR
	}
	command = command (continued ? "\n" $0 : substr($0, 3))
	continued = /\\$/
	next
}
kind == "console" {
	if (command == "")
		wrong("a console block begins with \"$ \"")
	expected = expected $0 "\n"
	next
}
kind == "sh" { text = text $0 "\n" }
kind == "" && NF && skipped { wrong("no block follows \"not run\"") }

END {
	if (kind != "")
		wrong("a block does not end")
	exit failed
}
