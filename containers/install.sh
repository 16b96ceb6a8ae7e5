#!/bin/sh
# Installs the environment of requirements.lock, and of the locks of extras, into /opt/vaeline; both images run it when they are built.
# Usage: install.sh FOLDER [EXTRA...], where FOLDER has the locks.
set -eu

cd "$1"
shift
apt-get update
apt-get install --yes --no-install-recommends git make openssh-client
rm -rf /var/lib/apt/lists/*
pip install --no-cache-dir --require-hashes --requirement requirements-uv.lock
uv venv --no-python-downloads /opt/vaeline
locks=requirements.lock
for extra; do
	locks="$locks requirements-$extra.lock"
done
VIRTUAL_ENV=/opt/vaeline uv pip sync --no-cache --compile-bytecode --require-hashes $locks
