# moto.sh - a real server of S3, SQS, SNS, STS and IAM: Debian's python3-moto,
# which releases have since 13.
#
# Its packages are unpacked into a folder together with the python3 that they
# are for; nothing is installed.  Sourced by the stories that need it.
# shellcheck shell=bash

# moto_use: set $moto_python, a python3 with moto and boto3, and the command
# ${moto_server[@]}, or skip the story.
moto_use() {
	local dir=$build/tests/var/moto
	mkdir -p "$dir" || return 1
	exec 7>"$dir/lock" && flock 7 # two stories want it at the same time
	if [ -e "$dir/complete" ] || moto_fetch "$dir"; then
		moto_python=$dir/python3
		moto_server=("$moto_python" "$dir/root/usr/bin/moto_server")
	elif python3 -c 'import boto3, moto' 2>/dev/null; then
		moto_python=python3 moto_server=(moto_server)
	fi
	exec 7>&-
	[ -n "${moto_python:-}" ] ||
	    skip "python3-moto cannot be fetched: $(tail -n 1 "$dir/log")"
}

# moto_fetch DIR: what went wrong is in DIR/log.
moto_fetch() {
	local dir=$1 site root=$1/root
	command -v mmdebstrap >"$dir/log" || {
		echo "mmdebstrap is not there (tests/run gets it)" >"$dir/log"
		return 1
	}
	site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
	    grep -m 1 '/debian/*$') || {
		echo "apt knows no mirror of Debian" >"$dir/log"
		return 1
	}
	rm -rf "$root"
	mmdebstrap -q --variant=extract --include=python3-moto,python3-boto3,python3-flask,python3-flask-cors \
	    --aptopt='APT::Install-Recommends "false"' \
	    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
	    trixie "$root" "deb [trusted=yes] $site trixie main" \
	    >"$dir/log" 2>&1 || return 1
	cat >"$dir/python3" <<-END
		#!/bin/sh
		PYTHONHOME=$root/usr PYTHONDONTWRITEBYTECODE=1 \\
		PYTHONPATH=$root/usr/lib/python3/dist-packages exec \\
		    $root/usr/lib64/ld-linux-x86-64.so.2 \\
		    --library-path $root/usr/lib/x86_64-linux-gnu \\
		    $root/usr/bin/python3.13 "\$@"
	END
	chmod +x "$dir/python3" &&
	    "$dir/python3" -c 'import boto3, moto.server' >>"$dir/log" 2>&1 &&
	    touch "$dir/complete"
}
