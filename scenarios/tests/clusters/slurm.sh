#!/usr/bin/env bash
# A batch on a real Slurm: a controller and four nodes on this machine, one of which is killed while its
# task runs. Afterwards the index must be that of a local run.
#   slurm.sh SYNFIN DIR: the program, and an empty directory to work in.
# Installs slurm-wlm and munge (Debian) if they are missing and it is allowed to. Exit code 77: it cannot run here.
set -euo pipefail
synfin=$1
dir=$2
cannot() { echo "cannot run here: $*"; exit 77; }
say() { echo "$(date +%T) $*"; }

[ "$(id -u)" = 0 ] || cannot "munged and slurmd need root"
if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
  command -v apt-get >/dev/null || cannot "slurmctld is not installed, and there is no apt-get"
  apt-get update -qq >/dev/null 2>&1 || cannot "slurmctld is not installed, and apt-get update fails"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge \
    >"$dir/apt.log" 2>&1 || cannot "apt-get cannot install slurm-wlm and munge: $(tail -1 "$dir/apt.log")"
fi
command -v slurmd >/dev/null || cannot "there is no slurmd"

cd "$dir"
host=$(hostname -s)
mkdir -p slurm/state slurm/spool slurm/log
cat >slurm/slurm.conf <<CONF
ClusterName=synfin-test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
SlurmctldPort=17917
StateSaveLocation=$dir/slurm/state
SlurmdSpoolDir=$dir/slurm/spool/%n
SlurmctldPidFile=$dir/slurm/slurmctld.pid
SlurmdPidFile=$dir/slurm/slurmd-%n.pid
SlurmctldLogFile=$dir/slurm/log/slurmctld.log
SlurmdLogFile=$dir/slurm/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SchedulerParameters=sched_interval=2,sched_min_interval=0,batch_sched_delay=0,bf_interval=2
ReturnToService=2
JobRequeue=1
SlurmdTimeout=10
SlurmdParameters=config_overrides
NodeName=n[1-4] NodeHostname=$host NodeAddr=127.0.0.1 Port=[17921-17924] CPUs=1 State=UNKNOWN
PartitionName=main Nodes=n[1-4] Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$dir/slurm/slurm.conf

started_munge=
stop() {
  scancel --user=root 2>/dev/null || true
  for file in slurm/slurmd-n?.pid slurm/slurmctld.pid; do
    if [ -f "$file" ]; then kill "$(cat "$file")" 2>/dev/null || true; fi
  done
  if [ -n "$started_munge" ]; then kill "$started_munge" 2>/dev/null || true; fi
}
trap stop EXIT
if ! munge -n >/dev/null 2>&1; then
  install -d -o munge -g munge -m 755 /run/munge
  runuser -u munge -- munged || cannot "munged does not start"
  started_munge=$(cat /run/munge/munged.pid)
fi
slurmctld || cannot "slurmctld does not start: $(tail -1 slurm/log/slurmctld.log)"
for i in 1 2 3 4; do slurmd -N "n$i" || cannot "slurmd n$i does not start"; done
for _ in $(seq 60); do
  [ "$(sinfo -h -t idle -o %D 2>/dev/null || true)" = 4 ] && break
  sleep 0.5
done
[ "$(sinfo -h -t idle -o %D)" = 4 ] || cannot "the four nodes do not come up: $(sinfo -h | tr '\n' ' ')"
say "four nodes are idle"

cat >grid.toml <<'TOML'
name = "grid"
duration = "60 s"
replicas = 8
topology = { kind = "pair", path = { rate = "100 Mbit/s", delay = "5 ms" } }
[[workload]]
arrivals = { kind = "poisson", rate = "400 /s" }
response = "10 kB"
[sweep]
"topology.path.delay" = ["1 ms", "5 ms", "10 ms", "20 ms"]
TOML
"$synfin" submit slurm grid.toml --shards 4 --out shared --partition main
for _ in $(seq 120); do
  [ "$(squeue -h -t R -o %N | wc -l)" = 4 ] && break
  sleep 0.5
done
sleep 1
node=$(squeue -h -t R -o %N | sort | tail -1)
say "killing $node: $("$synfin" status shared | head -1)"
# All at once, as in a power failure: the node's daemon, the daemons of its steps, and what they have started.
daemon=$(cat "slurm/slurmd-$node.pid")
steps=$(pgrep -f "slurmstepd: .*" | while read -r pid; do
  if tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "SLURMD_NODENAME=$node"; then echo "$pid"; fi
done)
tasks=$(for pid in /proc/[0-9]*; do
  if [ "$(readlink "$pid/exe")" = "$(readlink -f "$synfin")" ] &&
    tr '\0' '\n' <"$pid/environ" 2>/dev/null | grep -qx "SLURMD_NODENAME=$node"; then echo "${pid#/proc/}"; fi
done)
[ -n "$tasks" ] || { echo "no task is running on $node: the batch is too small for this machine"; exit 1; }
for pid in $tasks; do
  parent=$(awk '{print $4}' "/proc/$pid/stat")
  steps="$steps $parent"
done
# shellcheck disable=SC2086
kill -9 $daemon $steps $tasks 2>/dev/null || true
for i in $(seq 400); do
  [ -z "$(squeue -h)" ] && break
  if [ $((i % 40)) = 0 ]; then say "$(squeue -h -o '%K %T %r' | tr '\n' ';') $("$synfin" status shared | head -1)"; fi
  sleep 0.5
done
[ -z "$(squeue -h)" ] || { echo "the job does not end: $(squeue)"; exit 1; }
grep -l . shared/logs/*.txt >/dev/null || { echo "no task has said anything"; exit 1; }
restarted=$(grep -h "^shard" shared/logs/*.txt | wc -l)
"$synfin" status shared
"$synfin" collect shared >/dev/null
"$synfin" run grid.toml --out local --keep metrics --quiet
cmp shared/index.csv local/index.csv
cmp shared/index.parquet local/index.parquet
say "all tasks ended ($restarted said so), one of them twice begun; the index is that of a local run"
