#!/bin/sh
# exports.sh - what SIEMs export: verify reads all of it that has kept the
# bytes, and names what has not.
set -u
top=$(pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "FAIL $*"
	sed 's/^/	/' out | cut -c -300 | head -20
	failed=$((failed + 1))
}

# check STATUS FILE [WORDS]: verify ends so, and says so.
check() {
	"$top/sealfeed" verify --key pub.pem "$2" >out 2>&1
	got=$?
	[ "$got" -eq "$1" ] || fail "$2: status $got instead of $1"
	[ $# -lt 3 ] || grep -qF "$3" out || fail "$2: does not say \"$3\""
}

# well FILE: all events are proven.
well() {
	check 0 "$1" "324 events of 3 feeds, 324 proven"
	rm "$1"
}

# make FILE INPUT SCRIPT: SCRIPT is Perl, with each line of INPUT in $_, str()
# for a JSON string, cell() for a cell of CSV.
make() {
	perl -MJSON::PP -e '
		$json = JSON::PP->new->canonical->allow_nonref;
		sub str { $json->latin1(0)->utf8(0)->encode($_[0]) }
		sub cell { my $s = $_[0]; $s =~ s/"/""/g; "\"$s\"" }
		'"$3" <"$2" >"$1" || fail "$1 cannot be made"
}

openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null
openssl pkey -in key.pem -pubout -out pub.pem
"$top/tests/bin/stream" key.pem fra1 ndjson 4 40 >own
"$top/tests/bin/stream" key.pem fra1 plain 4 40 >old
"$top/tests/bin/stream" key.pem fra1 syslog 4 40 >sys
"$top/tests/bin/stream" key.pem fra1 split 4 40 >parts

each='while (<>) { chomp;'
# Envelopes, of which CEF stands behind the header of a syslog server.
fields='m/^\{"feed":"(.*?)","(index|size)":(\d+),"agent":"(.*?)","(event|checkpoint)":(.*)\}$/;
	($f, $k, $n, $a, $e, $v) = ($1, ucfirst $2, $3, $4, $5, $6);'
make cef own "$each$fields"' $v =~ s/[\\=]/\\$&/g; print "Nov 26 10:00:00 fra1 sealfeed CEF:0|a|b|1|c|d|3|sealfeedFeed=$f sealfeed$k=$n sealfeedAgent=$a rawEvent=$v\n" }'
make leef own "$each$fields"' print "LEEF:2.0|a|b|1|c|x09|sealfeedFeed=$f\tsealfeed$k=$n\tsealfeedAgent=$a\trawEvent=$v\n" }'
make wazuh own "$each$fields"' $k = lc $k; print "{\"integration\":\"$e\",\"sealfeed\":{\"feed\":\"$f\",\"$k\":$n,\"agent\":\"$a\"},\"$e\":$v}\n" }'
for form in own old sys parts cef leef wazuh; do
	make splunk $form "$each"' print "{\"preview\":false,\"result\":{\"host\":\"a\",\"_raw\":" . str($_) . "}}\n" }'
	well splunk
	make rows $form '@l = <>; chomp @l; print "{\"results\":[" . join(",\n", map { "{\"_raw\":" . str($_) . ",\"n\":null}" } @l) . "]}\n"'
	well rows
	make hits $form '@l = <>; chomp @l; print $json->pretty->encode({ took => 7, hits => { total => { value => 4 }, hits => [ map { { _index => "x", _source => { message => $_, tags => [ "a", { b => 1 } ] } } } @l ] } })'
	well hits
	make original $form "$each"' print "{\"event\":{\"kind\":\"event\",\"original\":" . str($_) . "},\"message\":\"a text\"}\n" }'
	well original
	make inside $form "$each"' print "{\"message\":" . str("{\"log\":" . str($_) . "}") . "}\n" }'
	well inside
	make unicode $form "$each"' $s = str($_); $s =~ s/([<>{}a])/sprintf "\\u%04X", ord $1/ge; $s =~ s!/!\\/!g; print "{\"full_message\":$s}\n" }'
	well unicode
	make csv $form 'print "_time,_raw\r\n"; '"$each"' print "2026-03-01," . cell($_) . "\r\n" }'
	well csv
	make order.csv $form 'print "\"message\";\"more of it\";source\n"; '"$each"' print cell($_) . ";\"two\nlines; \"\"quoted\"\"\";fra1\n" }'
	well order.csv
	make escaped.csv $form 'print "id,message\n"; '"$each"' s/([\\"])/\\$1/g; print "7,\"$_\"\n" }'
	well escaped.csv
	make path.csv $form 'print "path;TimeGenerated [UTC];_raw\n"; '"$each"' print "\"C:\\\";7;" . cell($_) . "\n" }'
	well path.csv
	make escaped-path.csv $form 'print "\"name, or path\",_raw,x\n"; '"$each"' s/([\\"])/\\$1/g; print "\"C:\\\\\",\"$_\",\"a \\\"word\\\"\"\n" }'
	well escaped-path.csv
	make one.csv $form 'print "_raw\n"; '"$each"' print cell($_) . "\n" }'
	well one.csv
	make sep.csv $form 'print "sep=,\r\n# export of today\r\n\r\nwhen,text\r\n"; '"$each"' print "7," . cell($_) . "\r\n" }'
	well sep.csv
	make headless.csv $form "$each"' print "7;" . cell($_) . ";x\n" }'
	well headless.csv
	make docker $form "$each"' print "{\"log\":" . str("$_\r\n") . ",\"stream\":\"stdout\"}\n" }'
	well docker
	make sequence $form "$each"' print "\x1e{\n \"message\": " . str($_) . "\n}\n" }'
	well sequence
	make tsv $form 'print "time\tmessage\n"; '"$each"' print "7\t" . cell($_) . "\n" }'
	well tsv
done

# The object itself, in whatever.
make source own "$each"' print "{\"_id\":\"1\",\"_source\":$_,\"sort\":[1]}\n" }'
well source
make array own '@l = <>; chomp @l; print "[" . join(",", @l) . "]"'
well array
make arrays own '@l = <>; chomp @l; print "[\n" . join("\n,\n", @l) . "\n]\n[]\n"'
well arrays
# A key as an editor or a shell of Windows saves it.
"$top/sealfeed" keygen --public --name fra1 key.pem >vkey 2>/dev/null
{ printf '\357\273\277'; sed 's/$/\r/' vkey; } >pub.pem
check 0 own "324 events of 3 feeds, 324 proven"
{ printf '\377\376'; iconv -f UTF-8 -t UTF-16LE vkey; } >pub.pem
check 0 own "324 events of 3 feeds, 324 proven"
openssl pkey -in key.pem -pubout -out pub.pem

# Without the line feeds between them, or with something else there.
make joined own "$each"' print }'
well joined
make counted own "$each"' print length, " $_" }'
well counted
for between in '\0' '\r' ',\n' ' '; do
	make joined own "$each print \$_, \"$between\" }"
	well joined
done
make keys own "$each"' s/^\{("feed":"[^"]*"),("(?:index|size)":\d+),("agent":"[^"]*"),(.*)\}$/{"\@timestamp":"x",$4,$2,"extra":{"feed":1},$3,$1}/ or die; print "$_\n" }'
well keys
make more own "$each"' s/^(.*)\}$/$1,"agent":"fra1","tags":{"a":["b"]}}/ or die; print "$_\n" }'
well more
make text own "$each"' s/"(event|checkpoint)":(.*)\}$/"\"$1\":" . str($2) . "}"/e or die; print "$_\n" }'
well text
make numbers own "$each"' s/"(index|size)":(\d+)/"$1":$2.00/ or die; print "$_\n" }'
well numbers
make columns.csv old 'print "feed,index,size,event,checkpoint\n"; '"$each"' m/^\{"feed":"([^"]*)","(index|size)":(\d+),"(?:event|checkpoint)":(.*)\}$/ or die; print "$1,", $2 eq "index" ? "$3,," . cell($4) . ",\n" : ",$3,," . cell($4) . "\n" }'
well columns.csv
# Structured data that a server has taken apart.
taken='m/\[sealfeed\@32473 feed="([^"]*)" (index|checkpoint)="(\d+)"\] (.*)$/ or die; ($f, $w, $n, $v) = ($1, $2, $3, $4);'
make fields sys "$each $taken"' print "{\"source\":\"fra1\",\"feed\":\"$f\",\"$w\":$n,\"message\":" . str($v) . "}\n" }'
well fields
make fields.csv sys 'print "feed,index,checkpoint,message\n"; '"$each $taken"' print "$f,", $w eq "index" ? "$n," : ",$n", "," . cell($v) . "\n" }'
well fields.csv
make nested sys "$each $taken"' print "{\"message\":" . str($v) . ",\"log\":{\"syslog\":{\"structured_data\":{\"sealfeed\@32473\":{\"feed\":\"$f\",\"$w\":\"$n\"}}}}}\n" }'
well nested

# What the outputs splunk-hec and elasticsearch send, beside names of the vendor
# and of the server that are like ours.
apart='m/^\{"feed":"([^"]*)","(index|size)":(\d+),"agent":"([^"]*)","(?:event|checkpoint)":(.*)\}$/ or die; ($f, $w, $n, $a, $v) = ($1, $2, $3, $4, $2 eq "index" ? $5 : $_);'
make hec own "$each $apart"' print "{\"result\":{\"index\":\"m365\",\"size\":\"7\",\"event\":\"x\",\"agent\":\"y\",\"part\":\"2\",\"sealfeed_feed\":\"$f\",\"sealfeed_$w\":\"$n\",\"sealfeed_agent\":\"$a\",\"_raw\":" . str($v) . "}}\n" }'
well hec
make hec.csv own 'print "index,_raw,sealfeed_feed,sealfeed_index,sealfeed_size,sealfeed_agent\n"; '"$each $apart"' print "m365," . cell($v) . ",$f,", $w eq "index" ? "$n," : ",$n", ",$a\n" }'
well hec.csv
make elastic own "$each $apart"' print "{\"_index\":\"logs\",\"_source\":{\"agent\":{\"name\":\"z\"},\"event\":{\"dataset\":\"o365.audit\",\"original\":" . str($v) . "},\"o365audit\":{\"feed\":1,\"index\":7},\"sealfeed\":{\"feed\":\"$f\",\"$w\":$n,\"agent\":\"$a\"}}}\n" }'
well elastic
make elastic.csv own 'print "event.original,index,sealfeed.agent,sealfeed.feed,sealfeed.index\n"; '"$each $apart"' print cell($v) . ",logs,$a,$f,", $w eq "index" ? $n : "", "\n" }'
well elastic.csv
# And otlp, loki (logcli, Grafana), datadog and graylog.
make otlp own "$each $apart"' print "{\"severity\":\"INFO\",\"body\":" . str($v) . ",\"attributes\":{\"log.record.uid\":\"x\",\"sealfeed.feed\":\"$f\",\"sealfeed.$w\":$n,\"sealfeed.agent\":\"$a\"}}\n" }'
well otlp
make loki own "$each $apart"' print "{\"labels\":{\"sealfeed_agent\":\"$a\",\"sealfeed_feed\":\"$f\",\"sealfeed_$w\":\"$n\"},\"line\":" . str($v) . ",\"timestamp\":\"x\"}\n" }'
well loki
make grafana own "$each $apart"' print $. == 1 ? "[" : ",", "{\"line\":" . str($v) . ",\"timestamp\":\"1\",\"fields\":{\"sealfeed_agent\":\"$a\",\"sealfeed_feed\":\"$f\",\"sealfeed_$w\":\"$n\"}}\n" } print "]\n";'
well grafana
make datadog own "$each $apart"' print "{\"id\":\"1\",\"type\":\"log\",\"attributes\":{\"message\":" . str($v) . ",\"service\":\"s\",\"attributes\":{\"index\":\"main\",\"sealfeed\":{\"feed\":\"$f\",\"$w\":$n,\"agent\":\"$a\"}}}}\n" }'
well datadog
make graylog.csv own 'print "timestamp,source,message,sealfeed_agent,sealfeed_feed,sealfeed_index\n"; '"$each $apart"' print "x,fra1," . cell($v) . ",$a,$f,", $w eq "index" ? $n : "", "\n" }'
well graylog.csv

# White space that a printer has put in can be taken out again.
make pretty own "$each"' s/","/" ,\n  "/g, s/":"/": "/g if m/"event":.*"Id"/; print "{ \"x\":\n$_ }\n" }'
grep -q '"Id": "' pretty || fail "nothing is printed with spaces"
well pretty

# Encodings and packings, of each kind of record.
make raw own 'print "_raw\n"; '"$each"' print cell($_) . "\n" }'
for file in own sys raw; do
	for to in UTF-16LE UTF-16BE UTF-16; do
		iconv -f UTF-8 -t $to $file >wide 2>/dev/null
		well wide
	done
	(printf '\357\273\277' && sed 's/$/\r/' $file) >marked
	well marked
	for to in UTF-32LE UTF-32BE; do
		iconv -f UTF-8 -t $to $file >wide 2>/dev/null
		check 1 wide "wide: it is encoded in $to, which"
		(printf '\357\273\277' && cat $file) | iconv -f UTF-8 -t $to >wide 2>/dev/null
		check 1 wide "wide: it is encoded in $to, which"
	done
	gzip -c $file >packed
	head -c 64 /dev/zero >>packed
	well packed
	(gzip -c $file && echo "this is none of it") >packed
	check 1 packed "packed: cannot be read to its end: "
	grep -q '324 proven' out || fail "gzip: what is whole is not read"
	if command -v xz >/dev/null; then
		xz -c $file >packed
		if "$top/sealfeed" verify --key pub.pem packed >out 2>&1; then
			xz -c /dev/null >>packed
			well packed
			xz -c $file | head -c 800 >packed
			check 1 packed "packed: the compressed data is truncated"
			(xz -c $file && echo "this is none of it") >packed
			check 1 packed "packed: cannot be read to its end: "
			grep -q '324 proven' out || fail "xz: what is whole is not read"
		else
			check 1 packed "it is packed by xz, which"
		fi
	fi
	if command -v zstd >/dev/null; then
		zstd -qc $file >packed
		if "$top/sealfeed" verify --key pub.pem packed >out 2>&1; then
			well packed
			zstd -qc $file | head -c 800 >packed
			check 1 packed "packed: the compressed data is truncated"
			# As pzstd begins.
			(printf 'Z*M\030\004\0\0\0size' && zstd -qc $file) >packed
			well packed
			(zstd -qc $file && echo "this is none of it") >packed
			check 1 packed "packed: cannot be read to its end: "
			grep -q '324 proven' out || fail "zstd: what is whole is not read"
		else
			check 1 packed "it is packed by zstd, which"
		fi
	fi
done
printf 'BZh91AY&SY' >packed
check 1 packed "packed: it is packed by bzip2, which sealfeed does not read"
printf '\135\0\0\200' >packed
check 1 packed "packed: it is packed by lzma, which sealfeed does not read"
printf 'PAR1' >packed
check 1 packed "packed: it is a Parquet file"
gzip -c own | gzip -c >packed
check 1 packed "packed: it is packed twice"
printf '<?xml version="1.0"?>\n<results>' >packed
check 1 packed "packed: it is XML, which sealfeed does not read"
printf 'PK\003\004' >packed
check 1 packed "packed: it is a zip archive"

# Bytes that are not the sealed ones, because a parser wrote them.
make anew own "$each"' s/"e":1E5/"e":100000.0/; print "{\"\@timestamp\":\"x\"," . substr($_, 1) . "\n" }'
check 1 anew "contoso/Audit.Exchange index 5: re-serialised: "
grep -q 'index 6: re-serialised' out && fail "anew: what fits is named, too"
make anew own "$each"' next if m/ud800/; print $json->utf8(1)->encode($json->utf8(1)->decode($_)) . "\n" }'
check 1 anew "re-serialised: what wrote the input has parsed the event"
# An altered one stays altered.
make altered own "$each"' s/Update/Delete/ if m/"index":42,/; print "{\"result\":{\"_raw\":" . str($_) . "}}\n" }'
check 1 altered "contoso/Audit.Exchange index 42: altered (altered line 87)"

# Messages that a receiver has cut.
for form in own sys; do
	at=150
	[ $form = own ] || at=220
	make cut $form "$each"' print m/checkpoint|heartbeat/ ? "$_\n" : substr($_, 0, '"$at"') . "\n" }'
	check 1 cut "contoso/Audit.Exchange index "
	grep -q 'Audit.Exchange index 0.*: truncated by the receiver' out ||
		fail "cut $form: does not say that it is truncated"
	make cut $form "$each"' print substr($_, 0, 300) . "\n" }'
	check 1 cut "Audit.Exchange checkpoint 40: truncated by the receiver"
done

# Wherever an event is cut: behind an inner bracket, inside of a character.
printf '%s\n' '{"feed":"contoso/Audit.Exchange","index":0,"agent":"fra1","event":{"a":{"b":["\u00fc\\\"",{"c":"ü"}]},"d":{"e":1}}}' >event
for less in 2 3 4 5 8 11 12 13 14 15 16 20 26 33 50; do
	(grep -v "Exchange\",\"index\":0," own; head -c "-$less" event; echo) >short
	check 1 short
	grep -q 'Audit.Exchange index 0: .*truncated by the receiver' out ||
		fail "cut by $less: does not say that it is truncated"
done

# A large answer to a search on one line, and many rows, in little memory.
make large own '@l = <>; chomp @l; print "{\"took\":1,\"hits\":{\"hits\":["; for $i (1 .. 60) { print "," if $i > 1; print join(",", map { "{\"_source\":{\"pad\":\"" . ("x" x 2000) . "\",\"message\":" . str($_) . "}}" } @l) } print "]}}"'
check 0 large "324 events of 3 feeds, 324 proven"
if ! grep -q __asan_init "$top/sealfeed"; then
	# shellcheck disable=SC3045 # dash has it
	(ulimit -v 200000 &&
		"$top/sealfeed" verify --key pub.pem large >out 2>&1) ||
		fail "large: memory is not bounded"
fi
printf '{"a":"b"}\n[1,2]\nx,y\n' >nothing
check 1 nothing "it holds no line of sealfeed"

[ "$failed" -eq 0 ] && echo "exports: all read"
exit "$failed"
