//! Renders the made-up run that the tests use, to look at a change without measuring:
//! `cargo run -p pushoff-reports --example fixture -- FOLDER [RUN]`, where
//! RUN is `answers` (without what looks for cost), `servers` (three of them), `remote` (one of
//! somebody else's), `browser` (pages beside the libraries), `networks` (three of them) or `wires` (four of them).

#![expect(clippy::unwrap_used, reason = "a look at the pages, not a program")]

#[path = "../src/fixture.rs"]
mod fixture;

use std::path::Path;

use pushoff_reports::{Report, ReportError, Run};

fn main() -> Result<(), ReportError> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let run = match std::env::args().nth(2).as_deref() {
        Some("answers") => fixture::run(),
        Some("servers") => fixture::servers(),
        Some("browser") => fixture::in_pages(),
        Some("remote") => fixture::remote(),
        Some("networks") => fixture::over_networks(),
        Some("wires") => fixture::on_wires(),
        Some(_) | None => fixture::whole(),
    };
    let report = Report::of(&run)?;
    report.write(Path::new(&folder))?;
    std::fs::write(Path::new(&folder).join("terminal.txt"), report.document().terminal(120, true)).unwrap();
    Ok(())
}
