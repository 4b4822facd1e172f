#!/usr/bin/env bash
# A batch as tasks of HyperQueue (the server and two workers in one Python process), compared with a
# local run.
#   hyperqueue.sh SYNFIN DIR: the program, and an empty directory to work in.
# Installs the package hyperqueue from PyPI into DIR. Exit code 77: it cannot run here.
set -euo pipefail
synfin=$1
dir=$2
cannot() { echo "cannot run here: $*"; exit 77; }
cd "$dir"
python3 -m venv venv >venv.log 2>&1 || cannot "python3 has no venv: $(tail -1 venv.log)"
venv/bin/pip install --quiet hyperqueue==0.27.0 >pip.log 2>&1 || cannot "pip: $(tail -1 pip.log)"
cat >grid.toml <<'TOML'
name = "grid"
duration = "5 s"
replicas = 5
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
arrivals = { kind = "poisson", rate = "100 /s" }
[sweep]
"topology.path.delay" = ["1 ms", "5 ms", "10 ms", "20 ms"]
TOML
cat >submit.py <<PYTHON
import sys
from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
with LocalCluster() as cluster:
    for _ in range(2):
        cluster.start_worker(WorkerConfig(cores=1))
    client = cluster.client()
    job = Job(max_fails=1)
    for i in range(1, 5):
        # Tasks that the package submits are numbered from 0, so the shard is passed explicitly.
        job.program([sys.argv[1], "run", "grid.toml", "--out", "shared", "--shard", f"{i}/4",
                     "--keep", "metrics", "--threads", "1"], cwd="$dir",
                    stdout=f"$dir/out-{i}.txt", stderr=f"$dir/err-{i}.txt")
    client.wait_for_jobs([client.submit(job)])
PYTHON
venv/bin/python submit.py "$synfin"
grep -h "^shard" err-*.txt
[ "$(grep -h "5 runs completed, 0 failed" err-*.txt | wc -l)" = 4 ]
"$synfin" status shared
"$synfin" collect shared >/dev/null
"$synfin" run grid.toml --out local --quiet
cmp shared/index.csv local/index.csv
cmp shared/index.parquet local/index.parquet
echo "the index is that of a local run"
