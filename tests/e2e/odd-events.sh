#!/bin/bash
# Events that a JSON parser refuses or would change: forwarded byte for byte.
. "${0%/*}/lib.sh"

deep=$(printf '%3000s' | tr ' ' '[')$(printf '%3000s' | tr ' ' ']')
long=$(printf '%120000s' | tr ' ' x)
{
	cat <<'END'
{"Id":"a1","Size":123456789012345678901234567890,"Rate":1e999,"Zero":-0.0}
{"Id":"a2","Text":"before\u0000after","CreationTime":"2026-01-01T00:00:00"}
{"Id":"a3","Text":"lone \ud800 surrogate","Low":"\udc00"}
{"Id":"a4","Key":1,"Key":2,"Id":"a5","Key":[3]}
{ "Id" : "a6" ,  "Blanks" : [ 1 , 2 ],"Slash":"\/ \u002f","Tab\t":"	"}
{"Id":"a7","Escapes":"\q \x41","Brackets":"]}[{\"\\"}
{"Id":{"not":"text"},"":"empty key","Operation":null}
{"Id":1e400,"Id2":true,"Numbers":[01,+1,.5,0x1F,NaN]}
{"NoId":"at all","CreationTime":"yesterday"}
{"Id":"","CreationTime":12}
{}
[]
"text alone"
42
null
END
	printf '{"Id":"b1","Latin":"caf\xe9 \xff\xfe \xed\xa0\x80 \xc0\x80"}\n'
	printf '{"Id":"b2","Nul":"%s","Del":"\x7f\x01"}\n' "$long"
	printf '{"Id":"b3","Deep":%s}\n' "$deep"
	printf '{"Id":"b4-%s"}\n' "$long"
} >"$work/records"
sim --records "$work/records" --blob 1-4 --rate 100 --faults pretty=30%
receiver lake
rsyslog siem ossl
to_http lake
to_syslog siem "max_message: 256KiB"
to_file archive
agent
settled archive lake siem
verified archive lake siem
