//! Chromium as a process: found, started for one trial, and removed after it.
//!
//! A shell starts it: the shell connects the pipes to the descriptors that Chromium uses, waits for Chromium's end
//! and removes the profile. Chromium ends when its pipe closes, and the pipe closes when this process ends for any
//! reason, so neither is left behind. Source: Chromium's `--remote-debugging-pipe`, which reads from descriptor 3 and
//! writes to 4.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use pushoff_model::Http;
use rustix::process::{Pid, Signal, getuid, kill_process_group};
use serde_json::json;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::devtools::{Devtools, DevtoolsError, text};
use super::error::BrowserError;
use crate::server::Server;

/// The names of Chromium's binary on different systems.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// How long Chromium may take to start. Chosen here: it takes a second on one processor.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long Chromium may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// The placeholder of the server's address in [`FLAGS`].
const ADDRESS: &str = "ADDRESS";
/// Pages only: no background network traffic, no services. Every name under localhost has the server's address.
pub(crate) const FLAGS: [&str; 20] = [
    "--headless",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP *.localhost ADDRESS",
    "--no-proxy-server",
    "--disable-quic",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--password-store=basic",
];

/// `$1` is the profile; Chromium and its flags follow.
const SHELL: &str = r#"profile=$1; shift
"$@" --user-data-dir="$profile" 3<&0 4>&1 </dev/null >/dev/null 2>&1
rm -rf "$profile""#;

/// The path of Chromium, where one is on the `PATH`.
#[must_use]
pub fn find_chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = NAMES.iter().flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    places.into_iter().find(|place| is_executable(place))
}

fn is_executable(place: &Path) -> bool {
    place.is_file() && rustix::fs::access(place, rustix::fs::Access::EXEC_OK).is_ok()
}

#[derive(Debug)]
pub(super) struct Chromium {
    /// The shell: Chromium's processes are its descendants.
    shell: Child,
    profile: PathBuf,
    pub(super) pid: u32,
    pub(super) devtools: Devtools,
    /// Its version, e.g. `Chrome/140.0.7339.80`.
    pub(super) version: String,
}

impl Chromium {
    /// Starts Chromium on the processors that this thread is pinned to, where the pages of this server's readers are.
    pub(super) async fn start(server: &Server) -> Result<Self, BrowserError> {
        let program = find_chromium().ok_or(BrowserError::Missing)?;
        let profile = profile().map_err(BrowserError::Start)?;
        let mut command = Command::new("sh");
        command.args(["-c", SHELL, "pushoff"]).arg(&profile).arg(&program);
        let address = server.http.ip().to_string();
        command.args(FLAGS.map(|flag| flag.replace(ADDRESS, &address)));
        if server.tls.is_some() {
            // The server's certificate is its own.
            command.arg("--ignore-certificate-errors");
            command.args((server.wire.http == Http::One).then_some("--disable-http2"));
        }
        if getuid().is_root() {
            // Chromium's sandbox refuses to run as root.
            command.arg("--no-sandbox");
        }
        command.arg("about:blank");
        // A process group of its own, so that Ctrl-C reaches only the run, which then closes the browser.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = server.pages().make(|| command.spawn()).map_err(BrowserError::Start)?;
        let absent = || BrowserError::Start(io::ErrorKind::BrokenPipe.into());
        let (to, from) = shell.stdin.take().zip(shell.stdout.take()).ok_or_else(absent)?;
        let pid = shell.id().ok_or_else(absent)?;
        let devtools = Devtools::new(to, from);
        let version = timeout(READY_WITHIN, devtools.call("Browser.getVersion", json!({})));
        let version = match version.await.or(Err(BrowserError::Silent(READY_WITHIN)))? {
            Err(DevtoolsError::Gone) => return Err(BrowserError::Ended(program.display().to_string())),
            version => version?,
        };
        let version = text(&version, "Browser.getVersion", "product")?.to_owned();
        Ok(Self { shell, profile, pid, devtools, version })
    }

    /// Closes Chromium and waits until the process and its profile are gone.
    pub(super) async fn close(mut self) {
        // Chromium may close the pipe before it answers.
        let closed = timeout(GRACE, self.devtools.call("Browser.close", json!({}))).await;
        drop(self.devtools);
        if timeout(GRACE, self.shell.wait()).await.is_ok() {
            return;
        }
        tracing::warn!(?closed, "the browser did not end in time and is killed");
        let group = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let ended = group.map(|group| kill_process_group(group, Signal::KILL));
        let removed = std::fs::remove_dir_all(&self.profile);
        tracing::warn!(?ended, ?removed, "its shell went with it");
        if let Err(error) = self.shell.wait().await {
            tracing::warn!(%error, "the browser's end was not seen");
        }
    }
}

/// Creates a folder for one profile that only this user can read.
fn profile() -> io::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("pushoff-chromium-{:016x}", rand::random::<u64>()));
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}
