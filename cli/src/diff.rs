//! `pushoff diff`: a recorded run held against an earlier one, or two servers of one; and a gate for CI.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use pushoff_reports::{Diff, Run};

use crate::arguments::{DiffOptions, Gate};
use crate::{Exit, report, terminal};

pub(crate) fn diff(options: &DiffOptions, json: bool) -> anyhow::Result<Exit> {
    let [base, new] = [Side::read(&options.base)?, Side::read(&options.new)?];
    let servers = if base.server.is_some() || new.server.is_some() {
        Some([base.only_server()?, new.only_server()?])
    } else {
        None
    };
    let diff = pushoff_reports::diff(&base.run, &new.run, servers, options.floor);
    ensure!(
        diff.tally.compared() > 0,
        "{} and {} have no figure in common that counts: {}",
        base.asked,
        new.asked,
        diff.why_nothing()
    );
    terminal::result(&written(&diff, options, json)?);
    Ok(if fails(&diff, options.fail_on) { Exit::GateFailed } else { Exit::Done })
}

/// What is compared, as it was asked for.
struct Side<'a> {
    asked: &'a str,
    run: Run,
    server: Option<&'a str>,
}

impl<'a> Side<'a> {
    /// `RUN`, or `RUN@SERVER` where no folder is called so.
    fn read(asked: &'a str) -> anyhow::Result<Self> {
        let (folder, server) = match asked.rsplit_once('@') {
            Some((folder, server)) if !Path::new(asked).exists() => (folder, Some(server)),
            _ => (asked, None),
        };
        let run = report::read(&[Path::new(folder).to_owned()])?;
        if let Some(server) = server {
            let known = run.servers();
            ensure!(
                known.contains(&server),
                "{folder} has no server named {server:?}: it measured {}",
                known.join(", ")
            );
        }
        Ok(Self { asked, run, server })
    }

    /// The server that is held against the other side's.
    fn only_server(&self) -> anyhow::Result<&str> {
        let known = self.run.servers();
        match (self.server, known.as_slice()) {
            (Some(server), _) => Ok(server),
            (None, [server]) => Ok(*server),
            (None, _) => bail!(
                "{} holds several servers ({}): name the one to be compared, as in {0}@{}",
                self.asked,
                known.join(", "),
                known[0]
            ),
        }
    }
}

fn written(diff: &Diff, options: &DiffOptions, json: bool) -> anyhow::Result<String> {
    Ok(if json {
        serde_json::to_string_pretty(diff).context("writing the comparison")?
    } else if options.markdown {
        diff.markdown()
    } else {
        diff.terminal(terminal::width(), terminal::colour())
    })
}

const fn fails(diff: &Diff, gate: Option<Gate>) -> bool {
    match gate {
        Some(Gate::Regressed) => diff.has_regressed(),
        None => false,
    }
}
