//! `pushoff diff`: compares two recorded runs, or two servers of one; and a gate for CI.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use pushoff_model::foreign;

use crate::arguments::{DiffOptions, Gate};
use crate::report::{self, Recorded};
use crate::{Exit, terminal};

pub(crate) fn diff(options: &DiffOptions, json: bool) -> anyhow::Result<Exit> {
    let [base, new] = [Side::read(&options.base)?, Side::read(&options.new)?];
    let servers = if base.server.is_some() || new.server.is_some() {
        Some([base.only_server()?, new.only_server()?])
    } else {
        None
    };
    let shared = base.recorded.trials.shared_with(&new.recorded.trials);
    if shared > 0 && servers.is_none_or(|[base, new]| base == new) {
        terminal::remark(&format!(
            "{} and {} have {shared} trials in common, which cannot differ: compare two runs, or two servers of one",
            base.name(),
            new.name()
        ));
    }
    let diff = pushoff_reports::diff(&base.recorded.run, &new.recorded.run, servers, options.floor);
    ensure!(
        diff.tally.compared() > 0,
        "{} and {} have no figure in common: {}",
        base.name(),
        new.name(),
        diff.why_nothing()
    );
    let has_failed = options.fail_on == Some(Gate::Regressed) && diff.has_regressed();
    let document = diff.document();
    let written = if json {
        serde_json::to_string_pretty(&document.json()).context("writing the comparison")?
    } else if options.markdown {
        document.markdown().trim_end().to_owned()
    } else {
        document.terminal(terminal::width(), terminal::colour())
    };
    Ok(terminal::result(&written).and(if has_failed { Exit::GateFailed } else { Exit::Done }))
}

/// One side of the comparison.
struct Side<'a> {
    asked: &'a OsStr,
    recorded: Recorded,
    server: Option<Cow<'a, str>>,
}

impl<'a> Side<'a> {
    /// Parses `RUN`, or `RUN@SERVER` if no folder has that whole name.
    fn read(asked: &'a OsStr) -> anyhow::Result<Self> {
        let bytes = asked.as_bytes();
        let (folder, server) = match bytes.iter().rposition(|&byte| byte == b'@') {
            Some(at) if !Path::new(asked).exists() => (&bytes[..at], Some(String::from_utf8_lossy(&bytes[at + 1..]))),
            _ => (bytes, None),
        };
        ensure!(
            !folder.is_empty(),
            "{} names no run: give a run's folder, or FOLDER@SERVER",
            foreign::quoted(&asked.to_string_lossy())
        );
        let folder = Path::new(OsStr::from_bytes(folder));
        let recorded = report::read(&[folder.to_owned()])?;
        if let Some(server) = &server {
            let known = recorded.run.servers();
            ensure!(
                known.contains(&&**server),
                "{} has no server named {}: it measured {}",
                foreign::path(folder),
                foreign::quoted(server),
                known.join(", ")
            );
        }
        Ok(Self { asked, recorded, server })
    }

    /// The argument, as messages show it.
    fn name(&self) -> String {
        foreign::path(Path::new(self.asked))
    }

    /// The server to compare.
    fn only_server(&self) -> anyhow::Result<&str> {
        let known = self.recorded.run.servers();
        match (self.server.as_deref(), known.as_slice()) {
            (Some(server), _) => Ok(server),
            (None, [server]) => Ok(*server),
            (None, _) => {
                bail!("{} holds several servers ({}): name one, as in {0}@{}", self.name(), known.join(", "), known[0])
            }
        }
    }
}
