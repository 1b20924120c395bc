//! The cost model: what a message, a poll, a connection and an idle second cost, fitted to measured cells,
//! and so what a load costs that nobody measured.
//!
//! The load of one server process gives the count of each [`Regressor`] a second. A [`FittedModel`] turns these counts
//! into a cost. Every prediction says how far it lies outside the measured range. Latency is not predicted where a
//! server would be busier than any that was measured.

mod check;
mod error;
mod fit;
mod fitted;
mod labelled;
mod load;
mod measured;
mod model;
mod pace;
mod quantity;
mod queue;
mod range;
mod regressors;
mod shipped;

pub use check::{Checked, Summary, checks, coverage, fit_and_check, summaries};
pub use error::{Check, Error};
pub use fitted::{FittedModel, Term};
pub use load::HEARTBEAT;
pub(crate) use load::{KEPT_SECONDS, Load, kept_messages};
pub use measured::{MeasuredCell, Trial};
pub(crate) use model::Forecast;
pub use model::{CostModel, ModelError, Source, TransportModel};
pub use quantity::Quantity;
pub use range::{Beyond, Bounds, Dimension, Range};
pub use regressors::Regressor;
pub use shipped::shipped;
