//! The suite in this process, on SQLite and the local sidecar.

use clap::Parser;
use taskledger::app::App;
use taskledger::config::{Cli, Command};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running suite of its own, and its directory.
#[derive(Debug)]
pub(crate) struct Embedded {
    pub(crate) base: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), String>>,
    directory: TempDir,
}

impl Embedded {
    /// Starts a suite with an empty directory.
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary directory")).await
    }

    /// Starts a suite over what another left.
    async fn start_in(directory: TempDir) -> Self {
        let data_dir = directory.path().display().to_string();
        let arguments = [
            "taskledger",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &data_dir,
        ];
        let Command::Up(config) = Cli::parse_from(arguments).command() else {
            panic!("these arguments mean up")
        };
        let app = Box::pin(App::build(*config))
            .await
            .expect("the suite starts");
        let base = format!("http://{}", app.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let stop = async { stopped.await.unwrap_or_default() };
            app.run(stop).await.map_err(|error| format!("{error:#}"))
        });
        Self {
            base,
            stop,
            running,
            directory,
        }
    }

    /// Stops the suite and starts it again over the same directory.
    pub(crate) async fn restart(self) -> Self {
        Self::start_in(self.stop().await).await
    }

    /// Stops the suite, which must end well; its directory is left.
    pub(crate) async fn stop(self) -> TempDir {
        self.stop.send(()).expect("the suite is still running");
        let ended = self.running.await.expect("the suite does not panic");
        assert_eq!(ended, Ok(()));
        self.directory
    }
}
