#!/usr/bin/env bash
# A real Slurm of one node on loopback, with accounting and two fake GPUs: `slurm.sh start FOLDER`, `slurm.sh stop FOLDER`.
# All its files are in FOLDER, except a link in /etc/slurm. It uses other ports than a usual Slurm. It needs root, as in a container.
# `start` installs Debian's packages if they are missing.
set -euo pipefail

folder=$(realpath -m "$2")
export SLURM_CONF=$folder/slurm.conf PATH=$PATH:/usr/sbin
usual=/etc/slurm/slurm.conf
port=16817 # of slurmctld; the next ones are those of slurmd, slurmdbd and MariaDB

install() {
	command -v slurmctld slurmd slurmdbd munged mariadbd >/dev/null && return
	echo "Installing Slurm from Debian."
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm slurmdbd munge mariadb-server >"$folder/apt.log"
}

# Debian's packages make the users munge and mysql; Slurm's own daemons run as root, since a job must be run as its owner.
configure() {
	host=$(hostname -s)
	memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.8)}' /proc/meminfo)
	cat >"$folder/slurm.conf" <<-END
		ClusterName=loopback
		SlurmctldHost=$host(127.0.0.1)
		SlurmUser=root
		SlurmctldPort=$port
		SlurmdPort=$((port + 1))
		AuthInfo=socket=$folder/munge/socket
		StateSaveLocation=$folder/state
		SlurmdSpoolDir=$folder/spool
		SlurmctldPidFile=$folder/slurmctld.pid
		SlurmdPidFile=$folder/slurmd.pid
		SlurmdParameters=config_overrides
		SlurmctldLogFile=$folder/slurmctld.log
		SlurmdLogFile=$folder/slurmd.log
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/linux
		JobAcctGatherFrequency=1
		JobAcctGatherParams=OverMemoryKill
		SelectType=select/cons_tres
		SelectTypeParameters=CR_Core_Memory
		SchedulerParameters=sched_interval=1,bf_interval=1
		KillWait=5
		MailProg=/bin/true
		GresTypes=gpu
		AccountingStorageType=accounting_storage/slurmdbd
		AccountingStorageHost=127.0.0.1
		AccountingStoragePort=$((port + 2))
		AccountingStoragePass=$folder/munge/socket
		AccountingStorageEnforce=associations
		AccountingStorageTRES=gres/gpu
		NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=$memory Gres=gpu:fake:2
		PartitionName=main Nodes=ALL Default=YES DefaultTime=5 MaxTime=120 State=UP
	END
	cat >"$folder/gres.conf" <<-END
		NodeName=$host Name=gpu Type=fake File=/dev/null
		NodeName=$host Name=gpu Type=fake File=/dev/zero
	END
	cat >"$folder/slurmdbd.conf" <<-END
		AuthType=auth/munge
		AuthInfo=$folder/munge/socket
		DbdHost=$host
		DbdAddr=127.0.0.1
		DbdPort=$((port + 2))
		SlurmUser=root
		PidFile=$folder/slurmdbd.pid
		LogFile=$folder/slurmdbd.log
		StorageType=accounting_storage/mysql
		StorageHost=127.0.0.1
		StoragePort=$((port + 3))
		StorageUser=slurm
		StoragePass=slurm
		StorageLoc=slurm
	END
	chmod 600 "$folder/slurmdbd.conf"
}

start() {
	[ "$(id -u)" = 0 ] || { echo "This starts daemons and needs root; run it in a container." >&2; exit 1; }
	mkdir -p "$folder"/{munge,state,spool,mysql}
	chmod 755 "$folder"
	install
	configure
	publish
	munge
	database
	slurmdbd
	until_true sacctmgr --noheader --parsable2 list cluster
	accounts
	slurmctld -c
	slurmd -c
	until_true sh -c "sinfo --noheader --format %t | grep -q idle"
	sinfo --format "%P %N %c %m %G %t"
}

# The executor's plugin takes SLURM_CONF from the environment of a job's steps.
publish() {
	if [ -e "$usual" ] && [ ! -L "$usual" ]; then
		echo "$usual exists: this machine has a Slurm of its own; run this in a container." >&2
		exit 1
	fi
	mkdir -p "$(dirname "$usual")"
	ln -sfn "$SLURM_CONF" "$usual"
}

munge() {
	[ -f "$folder/munge/key" ] || mungekey --create --keyfile="$folder/munge/key"
	chown -R munge: "$folder/munge"
	runuser -u munge -- munged --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
		--log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
}

database() {
	chown mysql: "$folder/mysql"
	[ -d "$folder/mysql/mysql" ] || mariadb-install-db --user=mysql --datadir="$folder/mysql" --skip-test-db >"$folder/install-db.log" 2>&1
	mariadbd --no-defaults --user=mysql --datadir="$folder/mysql" --socket="$folder/mysql/socket" --bind-address=127.0.0.1 \
		--port=$((port + 3)) --pid-file="$folder/mysql/pid" --innodb-buffer-pool-size=128M --innodb-lock-wait-timeout=900 \
		>"$folder/mysql.log" 2>&1 &
	until_true mariadb-admin --no-defaults --user=root --socket="$folder/mysql/socket" ping
	sql "create database if not exists slurm; create or replace user slurm@localhost identified by 'slurm'; grant all on slurm.* to slurm@localhost"
}

sql() {
	mariadb --no-defaults --user=root --socket="$folder/mysql/socket" --execute "$1"
}

# Jobs are refused under an account that is not `lab`.
accounts() {
	sacctmgr --immediate --quiet add cluster loopback || true
	sacctmgr --immediate --quiet add account lab || true
	sacctmgr --immediate --quiet add user root account=lab || true
}

until_true() {
	for _ in $(seq 300); do
		timeout 5 "$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "Slurm has not started; its logs are in $folder: $* failed." >&2
	exit 1
}

stop() {
	scancel --user root 2>/dev/null || true
	for pid in "$folder"/{slurmd.pid,slurmctld.pid,slurmdbd.pid,mysql/pid,munge/pid}; do
		process=$(cat "$pid" 2>/dev/null) || continue
		kill "$process" 2>/dev/null || continue
		for _ in $(seq 100); do
			kill -0 "$process" 2>/dev/null || break
			sleep 0.1
		done
	done
	[ ! -L "$usual" ] || rm "$usual"
}

"$1"
