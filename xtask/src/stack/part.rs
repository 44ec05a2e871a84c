//! The processes of a stack: started apart from us, found again by their files, stopped in order.

use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use event_schema::App;

use super::layout::Layout;
use crate::root::say;
use crate::signals::signal;

const POLL: Duration = Duration::from_millis(50);
/// Kafka and the services drain before they end.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Kafka(u16, String),
    Postgres,
    Daprd(App, String),
    Service(App),
}

impl Part {
    /// Every part, those that are used before those that use them.
    pub(super) fn all(layout: &Layout) -> Vec<Self> {
        let mut all: Vec<_> = (1..=layout.brokers).map(Self::kafka).collect();
        all.push(Self::Postgres);
        all.extend(App::ALL.map(Self::daprd));
        all.extend(App::ALL.map(Self::Service));
        all
    }

    pub(super) fn kafka(node: u16) -> Self {
        Self::Kafka(node, format!("kafka-{node}"))
    }

    pub(super) fn daprd(app: App) -> Self {
        Self::Daprd(app, format!("{}-dapr", app.id()))
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Kafka(_, name) | Self::Daprd(_, name) => name,
            Self::Postgres => "postgres",
            Self::Service(app) => app.id(),
        }
    }

    pub(super) fn address(&self, layout: &Layout) -> anyhow::Result<String> {
        let port = layout.port(self.name())?;
        Ok(match self {
            Self::Kafka(..) | Self::Postgres => format!("127.0.0.1:{port}"),
            Self::Daprd(..) | Self::Service(_) => format!("http://127.0.0.1:{port}"),
        })
    }

    pub(super) fn log(&self, layout: &Layout) -> PathBuf {
        layout.path("logs").join(format!("{}.log", self.name()))
    }

    /// The id of the running process, if it runs.
    pub(super) fn process(&self, layout: &Layout) -> anyhow::Result<Option<u32>> {
        let Ok(text) = fs::read_to_string(self.file(layout)) else {
            return Ok(None);
        };
        let (id, began) = text
            .trim()
            .split_once(' ')
            .context("a broken file of a process")?;
        let id: u32 = id.parse()?;
        Ok((beginning(id).as_deref() == Some(began)).then_some(id))
    }

    /// Starts it apart from us, unless it runs; says whether it was started.
    pub(super) fn start(&self, layout: &Layout, command: &mut Command) -> anyhow::Result<bool> {
        if self.process(layout)?.is_some() {
            return Ok(false);
        }
        let log = self.open_log(layout)?;
        let mut child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.name()))?;
        let began = beginning(child.id()).unwrap_or_default();
        layout.write(
            &format!("run/{}", self.name()),
            &format!("{} {began}\n", child.id()),
        )?;
        // Else what was killed while we run would stay in the list of processes, and PostgreSQL would
        // take its own former self for somebody who runs.
        std::thread::spawn(move || child.wait());
        say(&format!("stack: {} starts", self.name()));
        Ok(true)
    }

    /// Whether it runs since before the program was built: what is on disk is another one.
    pub(super) fn is_older_than(&self, layout: &Layout, program: &Path) -> anyhow::Result<bool> {
        let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
        let runs = self.process(layout)?.is_some();
        Ok(runs && changed(program)? > changed(&self.file(layout))?)
    }

    /// Asks it to end, and waits until it has; ends it when that takes too long.
    pub(super) fn stop(&self, layout: &Layout) -> anyhow::Result<()> {
        let Some(process) = self.process(layout)? else {
            return Ok(());
        };
        // PostgreSQL's fast shutdown; with SIGTERM it would wait for its clients.
        let name = if *self == Self::Postgres {
            "INT"
        } else {
            "TERM"
        };
        signal(name, &process.to_string())?;
        if self.wait_until_gone(layout, STOPPED_WITHIN)? {
            return Ok(());
        }
        say(&format!(
            "stack: {} does not end, so it is killed",
            self.name()
        ));
        self.kill(layout)
    }

    pub(super) fn kill(&self, layout: &Layout) -> anyhow::Result<()> {
        if let Some(process) = self.process(layout)? {
            signal("KILL", &process.to_string())?;
            if !self.wait_until_gone(layout, STOPPED_WITHIN)? {
                bail!("{} cannot be killed", self.name());
            }
        }
        Ok(())
    }

    /// What to say when it is not what it should be.
    pub(super) fn last_words(&self, layout: &Layout) -> String {
        let text = fs::read(self.log(layout)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().rev().take(15).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Asks until the answer is yes. A part that ends meanwhile is a failure, with its last words.
    pub(super) fn wait_until(
        &self,
        layout: &Layout,
        longest: Duration,
        ready: impl Fn() -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + longest;
        while !ready() {
            if self.process(layout)?.is_none() {
                bail!("{} has ended:\n{}", self.name(), self.last_words(layout));
            }
            if Instant::now() > deadline {
                let words = self.last_words(layout);
                bail!("{} is not ready after {longest:?}:\n{words}", self.name());
            }
            std::thread::park_timeout(POLL);
        }
        Ok(())
    }

    fn wait_until_gone(&self, layout: &Layout, longest: Duration) -> anyhow::Result<bool> {
        let deadline = Instant::now() + longest;
        while self.process(layout)?.is_some() {
            if Instant::now() > deadline {
                return Ok(false);
            }
            std::thread::park_timeout(POLL);
        }
        Ok(true)
    }

    fn file(&self, layout: &Layout) -> PathBuf {
        layout.path("run").join(self.name())
    }

    fn open_log(&self, layout: &Layout) -> anyhow::Result<File> {
        let path = self.log(layout);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.with_context(|| path.display().to_string())
    }
}

/// When a process began, so that a later one with the same id is not taken for it. `None` when there is
/// none, or only what is left of one that has ended.
fn beginning(process: u32) -> Option<String> {
    if let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) {
        // The name of the program is in parentheses and may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        return (state != "Z")
            .then(|| fields.nth(18).map(str::to_owned))
            .flatten();
    }
    let output = Command::new("ps")
        .args(["-o", "stat=,lstart=", "-p", &process.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (state, began) = text.trim().split_once(' ')?;
    (!state.starts_with('Z')).then(|| began.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_again_until_it_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::for_test(folder.path(), 1).unwrap();
        let part = Part::kafka(1);
        let mut command = Command::new("sh");
        command.args(["-c", "echo begun; exec tail -f /dev/null"]);

        assert!(part.start(&layout, &mut command).unwrap());
        let process = part.process(&layout).unwrap();
        assert!(process.is_some());
        assert!(
            !part.start(&layout, &mut command).unwrap(),
            "it runs already"
        );
        assert_eq!(part.process(&layout).unwrap(), process);
        part.wait_until(&layout, STOPPED_WITHIN, || {
            part.last_words(&layout) == "begun"
        })
        .unwrap();

        part.stop(&layout).unwrap();
        assert_eq!(part.process(&layout).unwrap(), None);
        let ended = part
            .wait_until(&layout, STOPPED_WITHIN, || false)
            .unwrap_err();
        assert!(
            ended.to_string().contains("kafka-1 has ended:\nbegun"),
            "{ended}"
        );
    }

    #[test]
    fn a_part_is_older_than_a_program_that_was_built_after_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::for_test(folder.path(), 1).unwrap();
        let part = Part::Service(App::TaskApi);
        let program = folder.path().join("task-api");
        let built = |at| {
            let file = File::create(&program).unwrap();
            file.set_modified(at).unwrap();
            part.is_older_than(&layout, &program).unwrap()
        };
        let now = fs::metadata(folder.path()).unwrap().modified().unwrap();
        let hour = Duration::from_hours(1);

        assert!(!built(now + hour), "it does not run");
        let mut command = Command::new("tail");
        part.start(&layout, command.args(["-f", "/dev/null"]))
            .unwrap();
        assert!(!built(now - hour));
        assert!(built(now + hour));
        part.stop(&layout).unwrap();
    }

    #[test]
    fn another_process_with_the_same_id_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::for_test(folder.path(), 1).unwrap();
        let forged = format!("{} 1\n", std::process::id());
        layout.write("run/postgres", &forged).unwrap();

        assert_eq!(Part::Postgres.process(&layout).unwrap(), None);
        assert!(beginning(std::process::id()).is_some());
    }

    #[test]
    fn users_come_after_those_they_use() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::for_test(folder.path(), 3).unwrap();
        let all = Part::all(&layout);
        let names: Vec<_> = all.iter().map(Part::name).collect();
        assert_eq!(
            names[..5],
            ["kafka-1", "kafka-2", "kafka-3", "postgres", "task-api-dapr"]
        );
        assert_eq!(names.last(), Some(&"notifier"));
    }
}
