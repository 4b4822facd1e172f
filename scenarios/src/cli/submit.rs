//! `synfin submit`: submits a batch to a scheduler, with a task for each shard.
//!
//! The scheduler finds machines, starts tasks, and restarts them if a machine is lost. Each task is
//! `synfin run … --shard auto/N`, which executes the missing runs of its shard.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reports::store::resolve;

use super::args::{Scheduler, SubmitArgs};
use super::run::{changed_text, still_to_make};
use crate::batch::{Shard, prepare};
use crate::console::{CommandError, note, print};
use crate::output_dir::{default_dir, shell_words};
use crate::sweep::Plan;

/// Writes the job and submits it, or prints it.
pub(super) fn submit(args: &SubmitArgs) -> Result<(), CommandError> {
    let usage = |text: String| CommandError::Usage(format!("error: {text}"));
    let source = args.scenario.source()?;
    let changes = args.scenario.changes()?;
    let plan = Plan::new(&source, &changes).map_err(|e| CommandError::Usage(e.to_string()))?;
    if plan.is_single() {
        let why = "shards divide a batch, but this is a single run; use `synfin run`";
        return Err(usage(why.to_owned()));
    }
    let dir = match &args.out {
        Some(out) => resolve(out).map_err(|e| usage(e.to_string()))?,
        None => default_dir(&plan.name, &changes),
    };
    let shards = u32::from(args.shards);
    let wanted = match args.only_missing {
        true => with_missing_runs(&plan, &dir, shards)?,
        false => (1..=shards).collect(),
    };
    if wanted.is_empty() {
        note("all runs are complete: nothing to submit");
        return Ok(());
    }
    let job = ClusterJob {
        args,
        name: &plan.name,
        dir: absolute(&dir)?,
        scenario: match args.scenario.file() {
            Some(file) => absolute(file)?.display().to_string(),
            None => args.scenario.scenario.clone(),
        },
        wanted: ranges(&wanted),
    };
    let text = match args.target {
        Scheduler::Slurm => job.slurm()?,
        Scheduler::Hq => job.hq()?,
        Scheduler::K8s => job.kubernetes()?,
    };
    if args.print || args.target == Scheduler::K8s {
        return print(text.trim_end());
    }
    let text_kept = changed_text(&source, &changes);
    prepare(&plan, &dir, &text_kept).map_err(|e| CommandError::Run(format!("error: {e}")))?;
    let logs = dir.join("logs");
    std::fs::create_dir_all(&logs)
        .map_err(|e| CommandError::Run(format!("error: cannot create {}: {e}", logs.display())))?;
    let said = match args.target {
        Scheduler::Hq => call("sh", &["-c", &text], "")?,
        _ => call("sbatch", &["--parsable"], &text)?,
    };
    print(&format!("submitted: {}", said.trim()))?;
    note(&format!(
        "`synfin status {0}` shows the progress; when all tasks have ended, `synfin collect {0}` writes the index and the report",
        shell_words([dir.display().to_string().as_str()])
    ));
    Ok(())
}

/// The shards with missing runs.
fn with_missing_runs(plan: &Plan, dir: &Path, shards: u32) -> Result<Vec<u32>, CommandError> {
    let missing = still_to_make(plan, dir, false, None)?;
    let missing: BTreeSet<&str> = missing.iter().map(|run| run.id.as_str()).collect();
    let is_wanted = |shard: &Shard| {
        let own = shard.chooses(&plan.runs);
        let mut own = plan.runs.iter().zip(own).filter(|(_, own)| *own);
        own.any(|(run, _)| missing.contains(run.id.as_str()))
    };
    Ok(Shard::all(shards)
        .filter(is_wanted)
        .map(Shard::number)
        .collect())
}

/// Numbers in the notation of schedulers: "1-4,7".
fn ranges(numbers: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &n in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => runs.push((n, n)),
        }
    }
    let text = |(first, last): (u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    runs.into_iter().map(text).collect::<Vec<_>>().join(",")
}

fn absolute(path: &Path) -> Result<PathBuf, CommandError> {
    std::path::absolute(path)
        .map_err(|e| CommandError::Usage(format!("error: {}: {e}", path.display())))
}

/// A batch as a job of a scheduler.
struct ClusterJob<'a> {
    args: &'a SubmitArgs,
    name: &'a str,
    dir: PathBuf,
    scenario: String,
    /// Numbers of the tasks.
    wanted: String,
}

impl ClusterJob<'_> {
    /// The command line of each task.
    fn command(&self, program: &str, threads: &str) -> String {
        let args = self.args;
        let mut words = vec![program.to_owned(), "run".to_owned(), self.scenario.clone()];
        for set in &args.scenario.set {
            words.extend(["--set".to_owned(), set.clone()]);
        }
        if let Some(filter) = &args.scenario.pcap {
            words.extend(["--pcap".to_owned(), filter.clone()]);
        }
        if let Some(seed) = args.scenario.seed {
            words.extend(["--seed".to_owned(), seed.to_string()]);
        }
        if let Some(replicas) = args.scenario.replicas {
            words.extend(["--replicas".to_owned(), replicas.to_string()]);
        }
        words.extend(["--out".to_owned(), self.dir.display().to_string()]);
        words.extend(["--shard".to_owned(), format!("auto/{}", args.shards)]);
        words.extend(["--keep".to_owned(), "metrics".to_owned()]);
        // The variable with the number of threads is for the shell, so it is not quoted.
        format!(
            "{} --threads {threads}",
            shell_words(words.iter().map(String::as_str))
        )
    }

    fn program(&self) -> Result<String, CommandError> {
        let here = std::env::current_exe().map_err(|e| {
            CommandError::Run(format!("error: cannot find the path of synfin itself: {e}"))
        })?;
        let given = self.args.program.clone();
        Ok(given.unwrap_or_else(|| here.display().to_string()))
    }

    /// The scenario's name for use in the job, with special characters replaced.
    fn plain_name(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name = self.name.chars().map(|c| if plain(c) { c } else { '-' });
        name.take(60).collect()
    }

    /// A job array of Slurm. Tasks of lost nodes are restarted. The scheduler sends SIGTERM a minute before
    /// the time limit, so that the program can end cleanly.
    fn slurm(&self) -> Result<String, CommandError> {
        let (args, dir) = (self.args, self.dir.display().to_string());
        let mut lines = vec![
            "#!/bin/sh".to_owned(),
            format!("#SBATCH --job-name=synfin-{}", self.plain_name()),
            format!("#SBATCH --array={}", self.wanted),
            format!("#SBATCH --cpus-per-task={}", args.cpus),
            "#SBATCH --requeue".to_owned(),
            "#SBATCH --open-mode=append".to_owned(),
            "#SBATCH --signal=B:TERM@60".to_owned(),
            format!("#SBATCH --output={dir}/logs/%A_%a.txt"),
        ];
        if dir.contains(['\n', '\r', ' ']) {
            return Err(CommandError::Usage(format!(
                "error: the directory {dir:?} has a space in its name, which Slurm's options do not allow\n  = help: choose another with --out"
            )));
        }
        lines.extend(
            args.partition
                .iter()
                .map(|p| format!("#SBATCH --partition={p}")),
        );
        lines.extend(args.time.iter().map(|t| format!("#SBATCH --time={t}")));
        lines.extend(args.memory.iter().map(|m| format!("#SBATCH --mem={m}")));
        lines.extend(args.options.iter().map(|o| format!("#SBATCH {o}")));
        lines.push(format!(
            "exec {}",
            self.command(&self.program()?, "\"${SLURM_CPUS_PER_TASK:-1}\"")
        ));
        Ok(lines.join("\n") + "\n")
    }

    /// A task array of HyperQueue.
    fn hq(&self) -> Result<String, CommandError> {
        let args = self.args;
        let logs = self.dir.join("logs").display().to_string();
        let mut words: Vec<String> = ["hq", "submit", "--array", &self.wanted, "--name"]
            .map(str::to_owned)
            .into();
        words.push(format!("synfin-{}", self.plain_name()));
        words.extend(["--cpus".to_owned(), args.cpus.to_string()]);
        for stream in ["stdout", "stderr"] {
            let file = format!("{logs}/%{{JOB_ID}}_%{{TASK_ID}}.{stream}");
            words.extend([format!("--{stream}"), file]);
        }
        words.extend(
            args.time
                .iter()
                .flat_map(|t| ["--time-limit".to_owned(), t.clone()]),
        );
        words.extend(args.options.iter().cloned());
        let submit = shell_words(words.iter().map(String::as_str));
        let command = self.command(&self.program()?, &args.cpus.to_string());
        Ok(format!("{submit} -- {command}\n"))
    }

    /// An indexed job of Kubernetes; the results go to a volume that all pods share.
    fn kubernetes(&self) -> Result<String, CommandError> {
        let args = self.args;
        if args.only_missing {
            return Err(CommandError::Usage(
                "error: an indexed job of Kubernetes cannot leave out shards\n  = help: leave out --only-missing; shards whose runs are complete end at once".to_owned(),
            ));
        }
        let yaml = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let name = self.plain_name().to_lowercase().replace(['_', '.'], "-");
        let name = name.trim_matches('-');
        let program = args.program.as_deref().unwrap_or("synfin");
        let command = self.command(program, &args.cpus.to_string());
        let image = args.image.as_deref().unwrap_or("IMAGE-WITH-SYNFIN");
        let claim = args.volume.as_deref().unwrap_or("SHARED-VOLUME-CLAIM");
        let memory = args.memory.as_deref().unwrap_or("1Gi");
        Ok(format!(
            "apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
spec:
  completionMode: Indexed
  completions: {shards}
  parallelism: {shards}
  backoffLimit: {retries}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 60
      containers:
        - name: synfin
          image: {image}
          command: [\"sh\", \"-c\", {command}]
          resources:
            requests: {{ cpu: \"{cpus}\", memory: {memory} }}
          volumeMounts:
            - {{ name: results, mountPath: {mount} }}
      volumes:
        - name: results
          persistentVolumeClaim: {{ claimName: {claim} }}
",
            name = yaml(&format!("synfin-{name}")),
            shards = args.shards,
            retries = u32::from(args.shards) * 3,
            image = yaml(image),
            command = yaml(&format!("exec {command}")),
            cpus = args.cpus,
            memory = yaml(memory),
            mount = yaml(&self.dir.display().to_string()),
            claim = yaml(claim),
        ))
    }
}

/// Calls a program of the scheduler and returns its output.
fn call(program: &str, args: &[&str], input: &str) -> Result<String, CommandError> {
    let failed = |why: String| {
        CommandError::Run(format!(
            "error: {program}: {why}\n  = help: --print shows what would be submitted"
        ))
    };
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|e| failed(e.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // If a program does not read its input, its exit code says why.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|e| failed(e.to_string()))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(failed(output.status.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_ranges() {
        assert_eq!(ranges(&[1, 2, 3, 4]), "1-4");
        assert_eq!(ranges(&[3, 7, 8, 9]), "3,7-9");
        assert_eq!(ranges(&[5]), "5");
    }
}
