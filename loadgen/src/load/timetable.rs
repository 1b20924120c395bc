//! The parts of a trial in time: warm-up, measure, drain.

use pushoff_model::RunInstant;
use pushoff_model::workload::Phases;

use crate::books::Window;

/// The start and end of each part of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timetable {
    /// The start of the load: the schedule's offsets count from here.
    pub(crate) start: RunInstant,
    /// The measure phase.
    pub(crate) window: Window,
    /// The end of the drain: messages that have not arrived by then are lost.
    pub(crate) drained: RunInstant,
}

impl Timetable {
    pub(crate) fn new(phases: &Phases, start: RunInstant) -> Self {
        let window = Window::new(start + phases.warm_up, phases.measure);
        Self { start, window, drained: window.end() + phases.drain }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_window_follows_the_warm_up_and_excludes_its_end() {
        let ms = Duration::from_millis;
        let phases = Phases { warm_up: ms(300), measure: ms(1_500), drain: ms(3_000) };
        let table = Timetable::new(&phases, RunInstant::from_nanos(7));
        assert_eq!(table.window.start(), RunInstant::from_nanos(300_000_007));
        assert!(table.window.contains(table.window.start()) && !table.window.contains(table.window.end()));
        assert_eq!(table.drained.since(table.window.end()), ms(3_000));
    }
}
