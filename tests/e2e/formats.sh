#!/bin/bash
# The envelope of Wazuh, CEF and LEEF in files and over syslog: a SIEM finds the
# fields in their place, and verify finds and proves the vendor's bytes in them;
# one altered byte is found.
. "${0%/*}/lib.sh"

sim --events 600 --rate 600
rsyslog siem ossl
syslogng ng
for f in wazuh cef leef; do
	to_file "$f" "format: $f"
done
to_syslog siem "format: cef"
to_syslog ng "format: leef"
agent

# has_all NAME: as many events as were made, told apart by feed and index
has_all() {
	[ "$(grep -Eao 'sealfeedFeed=contoso/[^ #[:cntrl:]]+(.|#011)sealfeedIndex=[0-9]+|"feed":"contoso/[^"]*","index":[0-9]+' \
	    "$work/$1/events" | sort -u | wc -l)" -eq 600 ]
}

for f in wazuh cef leef siem ng; do
	wait_for "$patience" "$f has all events" has_all "$f"
	wait_for 30 "$f is proven" "$sealfeed" verify --complete \
	    --key "$work/vkey" "$work/$f/events"
done

# What stands where: each event is as its own JSON has it.
python3 - "$work" <<'END' || fail "fields are not in their place"
import json, re, sys
work = sys.argv[1]
for line in open(work + "/wazuh/events"):
    record = json.loads(line)
    name = record["integration"]
    if record["sealfeed"]["feed"].startswith("contoso/") and "index" in record["sealfeed"]:
        assert name == "office365" and record[name]["Id"], line
n = 0
for line in open(work + "/cef/events"):
    if "|checkpoint|" in line or "sealfeedFeed=contoso/" not in line:
        continue
    head = re.split(r"(?<!\\)\|", line, maxsplit=7)
    assert head[:4] == ["CEF:0", "Microsoft", "Microsoft 365", "1"], head
    pairs = re.findall(r"(\w+)=((?:\\.|[^=\\])*?)(?= \w+=|$)", head[7].rstrip("\n"))
    field = {k: re.sub(r"\\(.)", r"\1", v) for k, v in pairs}
    event = json.loads(field["rawEvent"])
    assert field["externalId"] == event["Id"] and head[4] == event["Operation"], line
    n += 1
for line in open(work + "/leef/events"):
    if "|checkpoint|" in line or "sealfeedFeed=contoso/" not in line:
        continue
    head = line.rstrip("\n").split("|", 6)
    field = dict(p.split("=", 1) for p in head[6].split(chr(int(head[5][1:], 16))))
    event = json.loads(field["rawEvent"])
    assert field["externalId"] == event["Id"] and head[4] == event["Operation"], line
    n += 1
assert n == 1200, n
END

for f in wazuh cef leef; do
	sed -E '40s/("Operation":")./\1#/' "$work/$f/events" >"$work/altered"
	! cmp -s "$work/altered" "$work/$f/events" || fail "$f: nothing to alter"
	"$sealfeed" verify --key "$work/vkey" "$work/altered" >"$work/said" 2>&1 &&
	    fail "$f: an altered byte passes"
	grep -q "altered" "$work/said" || fail "$f: $(cat "$work/said")"
done
