#!/bin/bash
# URLs that lead to another host are refused, reported, and no token is sent
# there: in contentUri and in NextPageUri.
. "${0%/*}/lib.sh"

sim --events 1000 --rate 300 --subscribed --page 10 \
    --faults foreign-next@Audit.Exchange=100%x3
receiver lake
to_http lake
steer 'make?type=Audit.General&events=3&foreign=1'
agent
settled lake
verified lake
stat_is foreign -eq 0 || fail "$(stat_of foreign) requests to the foreign host"
stat_is foreign_tokens -eq 0 || fail "a token was sent to the foreign host"
wait_for 30 "contentUri is reported" log_has 'contentUri leads to another host'
wait_for 30 "NextPageUri is reported" log_has 'NextPageUri leads to another host'
